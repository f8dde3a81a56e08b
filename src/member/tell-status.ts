import type { LinkEvent } from "../protocol/events.ts";
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

function detailOf(status: TransportStatus): string | undefined {
  switch (status.type) {
    case "disconnected":
    case "blocked":
    case "closed":
      return status.reason;
    case "reconnecting":
      return `attempt ${status.attempt}`;
    case "lost":
      return `${status.messages} messages of ${status.subject}, ${status.bytes} bytes`;
    default:
      return undefined;
  }
}
