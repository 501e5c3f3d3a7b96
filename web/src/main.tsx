import { createRoot } from "react-dom/client";
import { App } from "./app/App.tsx";
import { startWorker } from "./app/update.ts";
import { preferred, speak } from "./i18n/index.ts";
import { prefs } from "./prefs/index.ts";
import "./ui/base.css";

prefs.start();
const root = document.getElementById("root");
if (root) {
  await speak(preferred());
  startWorker();
  createRoot(root).render(<App />);
}
