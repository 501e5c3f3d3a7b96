// What tests do inside Thunderbird (support/thunderbird.py calls these by name). Where a person would use
// the main window, so do they: folders are shown, rows selected, commands of the menus given.

const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const mainWindow = Services.wm.getMostRecentWindow("mail:3pane");

async function until(condition, what, seconds = 30) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await condition();
    if (found) return found;
    if (Date.now() > end) throw new Error(`${what} did not come in ${seconds} s`);
    await new Promise(resolve => mainWindow.setTimeout(resolve, 100));
  }
}

async function version() {
  return Services.appinfo.version;
}

// ---- Account

const module = name => ChromeUtils.importESModule(`resource:///modules/accountcreation/${name}.sys.mjs`);

function config(account) {
  const { AccountConfig } = module("AccountConfig");
  const made = new AccountConfig();
  const socketType = account.tls ? Ci.nsMsgSocketType.SSL : Ci.nsMsgSocketType.alwaysSTARTTLS;
  const both = {
    hostname: "localhost",
    username: account.address,
    password: account.password,
    socketType,
    auth: Ci.nsMsgAuthMethod.passwordCleartext,
  };
  Object.assign(made.incoming, both, { type: "imap", port: account.imap });
  Object.assign(made.outgoing, both, { type: "smtp", port: account.submission });
  Object.assign(made.identity, { realname: account.name, emailAddress: account.address });
  made.displayName = account.address;
  made.rememberPassword = true;
  return made;
}

// What the account wizard does when «Continue» is pressed, and then «Done».
async function setUp(account, names) {
  const { CreateInBackend } = module("CreateInBackend");
  const wanted = config(account);
  await verifier().verifyConfig(wanted, false);
  await CreateInBackend.createAccountInBackend(wanted);
  server().getNewMessages(server().rootFolder, mainWindow.msgWindow, null);
  const known = () => folders().map(nameOf);
  await until(() => names.every(name => known().includes(name)), `${names}`).catch(error => {
    throw new Error(`${error.message}: there are ${known()}`);
  });
  const logins = await Services.logins.getAllLogins();
  return logins.map(login => [login.hostname, login.username]);
}

function verifier() {
  const { ConfigVerifier } = module("ConfigVerifier");
  return new ConfigVerifier(mainWindow.msgWindow, new AbortController().signal);
}

// Whether the wizard would take it: the words of its refusal, or none.
async function verify(account) {
  const failed = error => error.message;
  return verifier().verifyConfig(config(account), false).then(() => "", failed);
}

// What the account wizard finds by an address alone: it asks the domain's own web server, whose names and
// ports are put on this machine. Signs in with it, and returns it.
async function findSettings(account, ports) {
  const { FetchConfig } = module("FetchConfig");
  const { AccountConfig } = module("AccountConfig");
  const domain = account.address.split("@")[1];
  const preferences = {
    "network.dns.localDomains": `${domain},autoconfig.${domain}`,
    "network.socket.forcePort": `80=${ports.http};443=${ports.https}`,
  };
  for (const [name, value] of Object.entries(preferences)) Services.prefs.setStringPref(name, value);
  try {
    const signal = new AbortController().signal;
    const found = await FetchConfig.fromISP(domain, account.address, signal);
    AccountConfig.replaceVariables(found, account.name, account.address, account.password);
    const seen = ({ type, hostname, port, socketType, username }) =>
      [type, hostname, port, socketType == Ci.nsMsgSocketType.SSL, username];
    const shown = {
      incoming: [found.incoming, ...found.incomingAlternatives].map(seen),
      outgoing: [found.outgoing, ...found.outgoingAlternatives].map(seen),
      by: found.subSource,
    };
    await verifier().verifyConfig(found, false);
    return shown;
  } finally {
    for (const name of Object.keys(preferences)) Services.prefs.clearUserPref(name);
  }
}

function server() {
  const found = MailServices.accounts.accounts.map(a => a.incomingServer).find(s => s.type == "imap");
  if (!found) throw new Error("there is no account");
  return found;
}

function folders() {
  return server().rootFolder.descendants.map(f => f.QueryInterface(Ci.nsIMsgImapMailFolder));
}

// The name on the server, in Unicode: modified UTF-7 (RFC 3501 §5.1.3) is what Thunderbird keeps of it, or
// UTF-8 where UTF8=ACCEPT is on.
function nameOf(folder) {
  return folder.onlineName.replace(/&([A-Za-z0-9+,]*)-/g, (_, base64) => {
    if (!base64) return "&";
    const octets = atob(base64.replaceAll(",", "/"));
    return octets.replace(/(.)(.)/gs, (_, high, low) =>
      String.fromCharCode(high.charCodeAt(0) * 256 + low.charCodeAt(0))
    );
  });
}

function folder(name) {
  const found = folders().find(f => nameOf(f) == name);
  if (!found) throw new Error(`no folder ${name} among ${folders().map(nameOf)}`);
  return found;
}

const USES = ["Inbox", "Drafts", "SentMail", "Trash", "Archive", "Junk", "Templates"];

// Names, with the uses that Thunderbird knows of.
async function listed() {
  return Object.fromEntries(
    folders().map(f => [nameOf(f), USES.filter(use => f.getFlag(Ci.nsMsgFolderFlags[use]))])
  );
}

async function identity() {
  const found = MailServices.accounts.getFirstIdentityForServer(server());
  const name = uri => {
    const at = folders().find(f => f.URI == uri);
    return at ? nameOf(at) : uri;
  };
  return {
    sent: name(found.fccFolderURI ?? found.fccFolder),
    drafts: name(found.draftsFolderURI ?? found.draftFolder),
  };
}

async function makeFolder(parent, name) {
  const at = parent ? folder(parent) : server().rootFolder;
  at.createSubfolder(name, mainWindow.msgWindow);
  const made = () => folders().find(f => f.parent == at && f.name == name);
  return nameOf(await until(made, name));
}

async function renameFolder(old, name) {
  const at = folder(old).parent;
  folder(old).rename(name, mainWindow.msgWindow);
  const made = () => folders().find(f => f.parent == at && f.name == name);
  return nameOf(await until(made, name));
}

// ---- The main window

const pane = () => mainWindow.document.getElementById("tabmail").currentAbout3Pane;

// Show a folder; it is brought up to date as it is for a person.
async function show(name) {
  const wanted = folder(name);
  await until(() => pane()?.displayFolder, "main window");
  pane().displayFolder(wanted.URI);
  await until(() => pane().gFolder == wanted && pane().gDBView, `folder ${name}`);
}

async function rowCount() {
  return pane().gDBView.rowCount;
}

function row(header) {
  return {
    uid: header.messageKey,
    subject: header.mime2DecodedSubject,
    read: header.isRead,
    flagged: header.isFlagged,
    answered: !!(header.flags & Ci.nsMsgMessageFlags.Replied),
    keywords: header.getStringProperty("keywords").split(" ").filter(k => k).sort(),
    offline: !!(header.flags & Ci.nsMsgMessageFlags.Offline),
  };
}

const headers = name => [...folder(name).msgDatabase.enumerateMessages()];

// Everything Thunderbird's own database holds of a folder.
async function rows(name) {
  return headers(name).map(row);
}

function bySubject(name, subjects) {
  const all = new Map(headers(name).map(h => [h.mime2DecodedSubject, h]));
  return subjects.map(subject => {
    if (!all.has(subject)) throw new Error(`no «${subject}» in ${name}`);
    return all.get(subject);
  });
}

// Select messages of a folder by subject, and give a command of the menus.
async function command(name, subjects, words, target) {
  await show(name);
  const found = bySubject(name, subjects);
  const view = pane().gDBView;
  const indices = await until(() => {
    const at = found.map(h => view.findIndexOfMsgHdr(h, true));
    return at.every(i => i != 0xffffffff) ? at : null;
  }, "rows");
  pane().threadTree.selectedIndices = indices;
  await until(() => view.getSelectedMsgHdrs().length == found.length, "selection");
  if (words == "select") return;
  if (words.startsWith("cmd_")) {
    pane().commandController.doCommand(words);
  } else if (target) {
    view.doCommandWithFolder(Ci.nsMsgViewCommandType[words], folder(target));
  } else {
    view.doCommand(Ci.nsMsgViewCommandType[words]);
  }
}

// What the message pane shows of the message that is selected.
async function shown(words) {
  const text = () => {
    const browser = pane().messageBrowser?.contentWindow?.getMessagePaneBrowser?.();
    return browser?.contentDocument?.body?.textContent ?? "";
  };
  await until(() => text().includes(words), `«${words}» in the message pane`);
}

// Wait until the database of a folder holds so many messages.
async function count(name, number, seconds) {
  const held = () => folder(name).msgDatabase.dBFolderInfo.numMessages;
  await until(() => held() == number, `${number} messages in ${name}`, seconds).catch(error => {
    throw new Error(`${error.message}: there are ${held()}`);
  });
}

// The same, of a folder that is shown. What came between its opening and IDLE Thunderbird hears and does not look
// at; a person who waits for it clicks again.
async function countAsking(name, number, seconds) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    try {
      return await count(name, number, Math.min(10, seconds));
    } catch (error) {
      if (Date.now() > end) throw error;
      folder(name).updateFolder(mainWindow.msgWindow);
    }
  }
}

// Wait until messages have (or have no longer) what a row shows.
async function state(name, subjects, wanted, seconds) {
  const fits = h => {
    const found = row(h);
    return Object.entries(wanted).every(([key, value]) =>
      key == "keywords"
        ? value.every(k => found.keywords.includes(k))
        : key == "without"
          ? value.every(k => !found.keywords.includes(k))
          : found[key] == value
    );
  };
  const all = () => {
    const found = headers(name).filter(h => subjects.includes(h.mime2DecodedSubject));
    return found.length == subjects.length && found.every(fits);
  };
  await until(all, `${JSON.stringify(wanted)} of ${subjects.length} in ${name}`, seconds);
}

async function addTag(words) {
  MailServices.tags.addTag(words, "#3465a4", "");
  return MailServices.tags.getKeyForTag(words);
}

// As the tag menu does.
async function tag(name, subjects, key) {
  await command(name, subjects, "select");
  folder(name).addKeywordsToMessages(pane().gDBView.getSelectedMsgHdrs(), key);
}

// ---- Offline

async function download(name, subjects) {
  folder(name).downloadMessagesForOffline(bySubject(name, subjects), mainWindow.msgWindow);
  await state(name, subjects, { offline: true });
}

async function source(name, subject) {
  const [header] = bySubject(name, [subject]);
  const uri = header.folder.getUriForMsg(header);
  const service = MailServices.messageServiceFromURI(uri);
  const found = [];
  await new Promise((resolve, reject) => {
    service.streamMessage(
      uri,
      {
        QueryInterface: ChromeUtils.generateQI(["nsIStreamListener", "nsIRequestObserver"]),
        onStartRequest() {},
        onStopRequest(request, status) {
          Components.isSuccessCode(status) ? resolve() : reject(new Error(`status ${status}`));
        },
        onDataAvailable(request, stream, offset, length) {
          const binary = Cc["@mozilla.org/binaryinputstream;1"].createInstance(Ci.nsIBinaryInputStream);
          binary.setInputStream(stream);
          found.push(binary.readBytes(length));
        },
      },
      mainWindow.msgWindow,
      null,
      false,
      ""
    );
  });
  return btoa(found.join(""));
}

async function goOffline() {
  mainWindow.MailOfflineMgr.toggleOfflineStatus();
  await until(() => !mainWindow.MailOfflineMgr.isOnline(), "offline");
}

// Online again; what was done meanwhile is told to the server. Then «Get Messages».
async function goOnline() {
  mainWindow.MailOfflineMgr.toggleOfflineStatus();
  await until(() => mainWindow.MailOfflineMgr.isOnline(), "online");
  await until(() => folders().every(f => !pending(f).length), "what was done offline", 60);
  server().getNewMessages(folder("INBOX"), mainWindow.msgWindow, null);
}

// Messages of a folder with something the server was not told yet.
function pending(folder) {
  const database = folder.msgDatabase.QueryInterface(Ci.nsIMsgOfflineOpsDatabase);
  return database.listAllOfflineOpIds().filter(key => database.getOfflineOpForKey(key, false)?.operation);
}

// ---- Search

// Subjects that Thunderbird's search finds; «online» asks the server.
async function search(name, online, attribute, words) {
  const session = Cc["@mozilla.org/messenger/searchSession;1"].createInstance(Ci.nsIMsgSearchSession);
  const term = session.createTerm();
  term.attrib = Ci.nsMsgSearchAttrib[attribute];
  term.op = Ci.nsMsgSearchOp.Contains;
  const value = term.value;
  value.attrib = term.attrib;
  value.str = words;
  term.value = value;
  session.appendTerm(term);
  const scopes = Ci.nsMsgSearchScope;
  session.addScopeTerm(online ? scopes.onlineMail : scopes.offlineMail, folder(name));
  const found = [];
  await new Promise(resolve => {
    session.registerListener({
      QueryInterface: ChromeUtils.generateQI(["nsIMsgSearchNotify"]),
      onNewSearch() {},
      onSearchHit(header) {
        found.push(header.mime2DecodedSubject);
      },
      onSearchDone: resolve,
    });
    session.search(mainWindow.msgWindow);
  });
  return found.sort();
}

// ---- Writing

async function compose(to, subject, body) {
  const fields = Cc["@mozilla.org/messengercompose/composefields;1"].createInstance(Ci.nsIMsgCompFields);
  fields.to = to;
  fields.subject = subject;
  fields.body = body;
  const params = Cc["@mozilla.org/messengercompose/composeparams;1"].createInstance(
    Ci.nsIMsgComposeParams
  );
  params.composeFields = fields;
  params.type = Ci.nsIMsgCompType.New;
  params.format = Ci.nsIMsgCompFormat.PlainText;
  params.identity = MailServices.accounts.getFirstIdentityForServer(server());
  MailServices.compose.OpenComposeWindowWithParams(null, params);
  return until(() => {
    const found = Services.wm.getMostRecentWindow("msgcompose");
    return found?.composeEditorReady ? found : null;
  }, "window to write in");
}

// The words of a dialogue that stands open, if one does.
function dialog() {
  const open = Services.wm.getMostRecentWindow("prompt:alert") ?? Services.wm.getMostRecentWindow(null);
  return `${open.document.title}: ${open.document.documentElement.textContent.trim().slice(0, 500)}`;
}

async function send(to, subject, body) {
  const made = await compose(to, subject, body);
  made.goDoCommand("cmd_sendNow");
  await until(() => made.closed, "end of sending", 60).catch(error => {
    throw new Error(`${error.message}: ${dialog()}`);
  });
}

async function saveDraft(to, subject, body) {
  const made = await compose(to, subject, body);
  made.goDoCommand("cmd_saveAsDraft");
  await until(() => !made.gSaveOperationInProgress && !made.gSendOperationInProgress, "saving");
  await until(() => made.gMsgCompose.compFields.draftId, "draft");
  made.close();
  await until(() => made.closed, "end of writing");
}
