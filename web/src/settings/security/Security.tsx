import { useLoaded } from "../hooks.ts";
import { Loaded } from "../Loaded.tsx";
import { ProveProvider } from "../Prove.tsx";
import style from "../Settings.module.css";
import { credentials } from "./credentials.ts";
import { Passkeys } from "./Passkeys.tsx";
import { Password } from "./Password.tsx";
import { SecondStep } from "./SecondStep.tsx";

/** How one signs in here: the password, the second step, passkeys. */
export function Security() {
  const [found, again] = useLoaded(credentials);
  return (
    <ProveProvider>
      <Loaded found={found} again={again}>
        {(known) => (
          <div className={style.page}>
            <SecondStep known={known} again={again} />
            <Passkeys known={known} again={again} />
            <Password />
          </div>
        )}
      </Loaded>
    </ProveProvider>
  );
}
