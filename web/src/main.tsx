import { createRoot } from "react-dom/client";
import { App } from "./app/App.tsx";
import { preferred, speak } from "./i18n/index.ts";
import { prefs } from "./prefs/index.ts";
import "./ui/base.css";

prefs.start();
const root = document.getElementById("root");
if (root) {
  await speak(preferred());
  createRoot(root).render(<App />);
}
