import type { AccessMode } from "../protocol/messages/coordinator-events.ts";
import type { BrokerPart } from "./broker/member-transport.ts";
import type { EventLog } from "./views/event-log.ts";

interface Announcement {
  readonly addresses: readonly string[];
  readonly loopbackOnly: boolean;
  readonly access: AccessMode;
  readonly broker: BrokerPart;
}

/** Says where a coordinator listens, and what a person should know of it. */
export function announce(log: EventLog, { addresses, loopbackOnly, access, broker }: Announcement): void {
  log.emit({ type: "listening", addresses, broker: broker.setup.shown, loopbackOnly, access });
  if (access === "insecure-open") {
    const message =
      "Open by --insecure-open: whoever can reach the port can read and send copies, and everything travels in the clear; keep the port inside a network that you trust";
    log.emit({ type: "warning", code: "open-to-network", message });
  }
  if (broker.setup.kind !== "embedded" && broker.setup.sharesCredentials) {
    const message =
      "Clients get the coordinator's own credentials for the broker; give them their own with --broker-public-credentials or --broker-public-url";
    log.emit({ type: "warning", code: "credentials-shared", message });
  }
}
