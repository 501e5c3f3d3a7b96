import { useLingui } from "@lingui/react/macro";
import { Contrast, Monitor, Moon, Rows2, Rows3, Rows4, Sun } from "lucide-react";
import { type Density, prefs, type Theme, usePrefs } from "../prefs/index.ts";
import { Choice } from "../ui/index.ts";

/** Colours and density, to be chosen. */
export function Looks() {
  const { t } = useLingui();
  const { theme, density } = usePrefs();
  return (
    <>
      <Choice<Theme>
        label={t`Colours`}
        chosen={theme}
        choose={(id) => prefs.set({ theme: id })}
        options={[
          { id: "auto", name: t`As the system`, icon: Monitor },
          { id: "light", name: t`Light`, icon: Sun },
          { id: "dark", name: t`Dark`, icon: Moon },
          { id: "contrast", name: t`High contrast`, icon: Contrast },
        ]}
      />
      <Choice<Density>
        label={t`Density`}
        chosen={density}
        choose={(id) => prefs.set({ density: id })}
        options={[
          { id: "comfortable", name: t`Comfortable`, icon: Rows2 },
          { id: "cozy", name: t`Cozy`, icon: Rows3 },
          { id: "compact", name: t`Compact`, icon: Rows4 },
        ]}
      />
    </>
  );
}
