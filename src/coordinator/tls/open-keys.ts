import { openKeyWarning } from "../../lib/tls/open-key.ts";
import type { CoordinatorEvent } from "../../protocol/messages/coordinator-events.ts";
import type { BrokerFiles } from "../broker/broker-files.ts";
import type { TlsFiles } from "./tls-setup.ts";

type KeyFiles = Pick<TlsFiles, "tlsKey"> & Pick<BrokerFiles, "brokerKeyFile">;

/** Says which private keys others on this machine can read. */
export function warnOfOpenKeys({ tlsKey, brokerKeyFile }: KeyFiles, emit: (event: CoordinatorEvent) => void): void {
  for (const message of [openKeyWarning(tlsKey, "--tls-key"), openKeyWarning(brokerKeyFile, "--broker-key")])
    if (message !== undefined) emit({ type: "warning", code: "key-open", message });
}
