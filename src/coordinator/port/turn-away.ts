import type { Duplex } from "node:stream";
import type { ErrorCode } from "../../lib/errors.ts";
import { CODE_HEADER } from "../../protocol/coordinator-port.ts";
import { SECURITY_HEADERS } from "./security-headers.ts";

interface RefusalWords {
  /** For a person. */
  readonly text: string;
  /** For a member, which ends with it. */
  readonly code?: ErrorCode;
}

/** Answers on a bare socket, and ends it without waiting for a client that may never end its own half. */
export function turnAway(socket: Duplex, status: string, { text, code }: RefusalWords): void {
  const headers: Readonly<Record<string, string | number>> = {
    ...SECURITY_HEADERS,
    connection: "close",
    "content-type": "text/plain; charset=utf-8",
    "content-length": Buffer.byteLength(text),
    ...(code === undefined ? {} : { [CODE_HEADER]: code }),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.resume();
  socket.end([`HTTP/1.1 ${status}`, ...lines, "", text].join("\r\n"), () => socket.destroy());
}
