"""Typed write commands: everything that changes the store, as plain data.

A command is one transaction's worth of work, validated where it is executed, never a closure. It
touches at most ``MAX_ROWS`` messages; whoever has more cuts it into several. ``actor`` says for whom:
``SYSTEM`` (delivery, upkeep) or an account, whose mailbox rights are checked by the statements
themselves. Uid sets are ranges ``(first, last)``, both ends included.

The encoding (msgspec msgpack, arrays) is between processes of one version on one machine, never stored.
"""

from malleposte.store.commands.base import (
    LATEST,
    MAX_ROWS,
    SYSTEM,
    Command,
    Ranges,
    kept_date,
)
from malleposte.store.commands.contacts import (
    CardChange,
    ChangeCards,
    DropBook,
    Media,
    PutBook,
    SeedBooks,
)
from malleposte.store.commands.content import (
    Append,
    AppendAll,
    Bringing,
    Content,
    Deliver,
    Enclosed,
    Filing,
    Forward,
    PutContent,
    Rendered,
    Replace,
)
from malleposte.store.commands.credentials import (
    AddAppPassword,
    AddPasskey,
    ConfirmTotp,
    DropAppPassword,
    DropPasskey,
    DropSecondStep,
    DropTotp,
    PutRecoveryCodes,
    RenamePasskey,
    RequireSecondStep,
    StartTotp,
    TrySecondStep,
    UseAppPassword,
    UsePasskey,
    UseRecoveryCode,
    UseTotp,
)
from malleposte.store.commands.directory import (
    Act,
    Audited,
    CreateAccount,
    CreateDomain,
    DeleteAccount,
    DeleteDomain,
    GrantRole,
    PurgeAccount,
    PutSecret,
    RecordAudit,
    RetireKey,
    SetAccount,
    SetAlias,
    SetPassword,
)
from malleposte.store.commands.emails import (
    UPLOAD_KEPT,
    UPLOAD_SAFE,
    ChangeEmails,
    CopyEmails,
    EmailChange,
    EmailCopy,
    PutUpload,
)
from malleposte.store.commands.labels import DropLabel, PutLabel
from malleposte.store.commands.mailboxes import (
    CreateMailbox,
    DeleteMailbox,
    Entry,
    ExchangeMailboxes,
    PartCopies,
    RenameMailbox,
    SetMailbox,
    SetMetadata,
    SetRights,
    Subscribe,
    SweepMailbox,
)
from malleposte.store.commands.messages import (
    ClaimRecent,
    Copy,
    Expunge,
    Recover,
    Render,
    StoreFlags,
)
from malleposte.store.commands.push import AddPush, ChangePush, DropPush, NotePush
from malleposte.store.commands.queue import (
    ACCOUNT,
    ACCOUNT_ONWARD,
    DELIVERED,
    DOMAIN,
    DOMAIN_ONWARD,
    EIGHTBIT,
    FAILED,
    HELD,
    MOST_CHANGED,
    MOST_REROUTED,
    SMTPUTF8,
    SUSPENDED,
    WAITS,
    Allowance,
    ChangeQueued,
    Closing,
    Handing,
    Outcome,
    RecordOutcomes,
    Relay,
    Report,
    Reroute,
    Rerouted,
    TakeQueued,
)
from malleposte.store.commands.relays import (
    MAX_RELAYS,
    DropRelay,
    NoteRouting,
    PutRelay,
    RelayRow,
)
from malleposte.store.commands.routing import (
    MAX_FORWARDS,
    MAX_MEMBERS,
    MAX_OWNERS,
    MAX_RELAYED,
    SENDERS,
    DeleteGroup,
    GroupEntry,
    PutGroup,
    SetCatchAll,
    SetDomain,
    SetForward,
    SetMembers,
    SetOrganisation,
    SetRelayed,
)
from malleposte.store.commands.senders import SetNetworks, SetSendLimit, SetSendRight
from malleposte.store.commands.sessions import (
    CloseWebSessions,
    OpenWebSession,
    UseWebSession,
)
from malleposte.store.commands.sharing import DropNotification
from malleposte.store.commands.sieve import (
    ANSWERED,
    DUPLICATE,
    REJECTED,
    TOLD,
    ActivateScript,
    DeleteScript,
    PutForm,
    PutScript,
    Remember,
    RenameScript,
)
from malleposte.store.commands.submissions import (
    CancelSubmission,
    DropIdentity,
    DropSubmission,
    NoteProgress,
    PutIdentity,
    SeedIdentities,
    Submitted,
)
from malleposte.store.commands.tls import (
    AddTlsResults,
    DropTlsResults,
    MarkStsPolicy,
    PutStsPolicy,
    SetTlsException,
    SweepTls,
    TlsCount,
)
from malleposte.store.commands.upkeep import (
    AddJob,
    DropContent,
    FinishJob,
    LeaseJobs,
    PurgeOldest,
    PurgeRecoverable,
    RenewUidValidity,
    RepairAccount,
    RepairNumbers,
    Shrink,
    SweepBlobs,
    SweepRecords,
    SweepTombstones,
    TakeLease,
)

__all__ = [
    "ACCOUNT",
    "ACCOUNT_ONWARD",
    "ANSWERED",
    "DELIVERED",
    "DOMAIN",
    "DOMAIN_ONWARD",
    "DUPLICATE",
    "EIGHTBIT",
    "FAILED",
    "HELD",
    "LATEST",
    "MAX_FORWARDS",
    "MAX_MEMBERS",
    "MAX_OWNERS",
    "MAX_RELAYED",
    "MAX_RELAYS",
    "MAX_ROWS",
    "MOST_CHANGED",
    "MOST_REROUTED",
    "REJECTED",
    "SENDERS",
    "SMTPUTF8",
    "SUSPENDED",
    "SYSTEM",
    "TOLD",
    "UPLOAD_KEPT",
    "UPLOAD_SAFE",
    "WAITS",
    "Act",
    "ActivateScript",
    "AddAppPassword",
    "AddJob",
    "AddPasskey",
    "AddPush",
    "AddTlsResults",
    "Allowance",
    "AnyCommand",
    "Append",
    "AppendAll",
    "Audited",
    "Bringing",
    "CancelSubmission",
    "CardChange",
    "ChangeCards",
    "ChangeEmails",
    "ChangePush",
    "ChangeQueued",
    "ClaimRecent",
    "CloseWebSessions",
    "Closing",
    "Command",
    "ConfirmTotp",
    "Content",
    "Copy",
    "CopyEmails",
    "CreateAccount",
    "CreateDomain",
    "CreateMailbox",
    "DeleteAccount",
    "DeleteDomain",
    "DeleteGroup",
    "DeleteMailbox",
    "DeleteScript",
    "Deliver",
    "DropAppPassword",
    "DropBook",
    "DropContent",
    "DropIdentity",
    "DropLabel",
    "DropNotification",
    "DropPasskey",
    "DropPush",
    "DropRelay",
    "DropSecondStep",
    "DropSubmission",
    "DropTlsResults",
    "DropTotp",
    "EmailChange",
    "EmailCopy",
    "Enclosed",
    "Entry",
    "ExchangeMailboxes",
    "Expunge",
    "Filing",
    "FinishJob",
    "Forward",
    "GrantRole",
    "GroupEntry",
    "Handing",
    "LeaseJobs",
    "MarkStsPolicy",
    "Media",
    "NoteProgress",
    "NotePush",
    "NoteRouting",
    "OpenWebSession",
    "Outcome",
    "PartCopies",
    "PurgeAccount",
    "PurgeOldest",
    "PurgeRecoverable",
    "PutBook",
    "PutContent",
    "PutForm",
    "PutGroup",
    "PutIdentity",
    "PutLabel",
    "PutRecoveryCodes",
    "PutRelay",
    "PutScript",
    "PutSecret",
    "PutStsPolicy",
    "PutUpload",
    "Ranges",
    "RecordAudit",
    "RecordOutcomes",
    "Recover",
    "Relay",
    "RelayRow",
    "Remember",
    "RenameMailbox",
    "RenamePasskey",
    "RenameScript",
    "Render",
    "Rendered",
    "RenewUidValidity",
    "RepairAccount",
    "RepairNumbers",
    "Replace",
    "Report",
    "RequireSecondStep",
    "Reroute",
    "Rerouted",
    "RetireKey",
    "SeedBooks",
    "SeedIdentities",
    "SetAccount",
    "SetAlias",
    "SetCatchAll",
    "SetDomain",
    "SetForward",
    "SetMailbox",
    "SetMembers",
    "SetMetadata",
    "SetNetworks",
    "SetOrganisation",
    "SetPassword",
    "SetRelayed",
    "SetRights",
    "SetSendLimit",
    "SetSendRight",
    "SetTlsException",
    "Shrink",
    "StartTotp",
    "StoreFlags",
    "Submitted",
    "Subscribe",
    "SweepBlobs",
    "SweepMailbox",
    "SweepRecords",
    "SweepTls",
    "SweepTombstones",
    "TakeLease",
    "TakeQueued",
    "TlsCount",
    "TrySecondStep",
    "UseAppPassword",
    "UsePasskey",
    "UseRecoveryCode",
    "UseTotp",
    "UseWebSession",
    "kept_date",
]

AnyCommand = (
    Deliver
    | Append
    | Replace
    | AppendAll
    | PutContent
    | PutUpload
    | ChangeEmails
    | CopyEmails
    | CreateMailbox
    | RenameMailbox
    | SetMailbox
    | ExchangeMailboxes
    | DeleteMailbox
    | PartCopies
    | SweepMailbox
    | Subscribe
    | SetRights
    | SetMetadata
    | StoreFlags
    | Expunge
    | Copy
    | Recover
    | ClaimRecent
    | CreateDomain
    | DeleteDomain
    | CreateAccount
    | SetPassword
    | SetAccount
    | DeleteAccount
    | PurgeAccount
    | GrantRole
    | SetAlias
    | SetDomain
    | SetOrganisation
    | SetCatchAll
    | SetRelayed
    | SetForward
    | PutGroup
    | DeleteGroup
    | SetMembers
    | PutSecret
    | RetireKey
    | RecordAudit
    | Audited
    | AddJob
    | LeaseJobs
    | FinishJob
    | TakeLease
    | TakeQueued
    | RecordOutcomes
    | ChangeQueued
    | Reroute
    | PutRelay
    | DropRelay
    | NoteRouting
    | PutScript
    | ActivateScript
    | DeleteScript
    | RenameScript
    | PutForm
    | NoteProgress
    | CancelSubmission
    | DropIdentity
    | DropNotification
    | DropSubmission
    | PutIdentity
    | SeedIdentities
    | AddPush
    | ChangePush
    | DropPush
    | NotePush
    | SeedBooks
    | PutBook
    | DropBook
    | ChangeCards
    | SetSendLimit
    | SetSendRight
    | SetNetworks
    | OpenWebSession
    | UseWebSession
    | CloseWebSessions
    | AddAppPassword
    | AddPasskey
    | ConfirmTotp
    | DropAppPassword
    | DropLabel
    | DropPasskey
    | DropSecondStep
    | DropTotp
    | PutLabel
    | PutRecoveryCodes
    | RenamePasskey
    | RequireSecondStep
    | StartTotp
    | TrySecondStep
    | UseAppPassword
    | UsePasskey
    | UseRecoveryCode
    | UseTotp
    | PutStsPolicy
    | MarkStsPolicy
    | SetTlsException
    | AddTlsResults
    | DropTlsResults
    | SweepTls
    | PurgeRecoverable
    | PurgeOldest
    | DropContent
    | Shrink
    | SweepBlobs
    | SweepRecords
    | SweepTombstones
    | RenewUidValidity
    | RepairAccount
    | RepairNumbers
    | Render
)
