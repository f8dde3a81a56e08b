import { FanfoldError } from "../lib/errors.ts";
import type { LinkEvent } from "../protocol/messages/events.ts";
import type { Transport, TransportStatus } from "../transport/transport.ts";

/** Passes on what happens to a transport's link, until the transport is closed. */
export function tellStatus(transport: Transport, emit: (event: LinkEvent) => void): void {
  void (async () => {
    for await (const status of transport.status()) {
      const detail = detailOf(status);
      emit({ type: "transport", status: status.type, ...(detail === undefined ? {} : { detail }) });
    }
  })();
}

/** Tells when a transport has given up by itself: the broker lets this client in no more. Nothing comes over it then. */
export function watchEnd(transport: Transport, fail: (error: FanfoldError) => void): void {
  void (async () => {
    for await (const status of transport.status()) {
      if (status.type === "closed" && status.reason !== undefined) fail(new FanfoldError("broker-lost", status.reason));
    }
  })();
}

function detailOf(status: TransportStatus): string | undefined {
  switch (status.type) {
    case "disconnected":
    case "blocked":
    case "closed":
      return status.reason;
    case "reconnected":
      return status.server;
    case "reconnecting":
      return `attempt ${status.attempt}`;
    case "lost":
      return `${status.messages} of ${status.subject}, ${status.bytes} bytes; missing data is sent again`;
    default:
      return undefined;
  }
}
