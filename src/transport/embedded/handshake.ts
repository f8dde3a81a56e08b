/**
 * The HTTP upgrade that starts the stream [P-2.3]. The client writes it itself on a plain socket, because a socket that
 * `http.request` opened cannot read into the reader's own buffers.
 */
import { FanfoldError } from "../../lib/errors.ts";
import { formatHostPort } from "../../lib/host-port.ts";
import { PORT_PATHS } from "../../protocol/coordinator-port.ts";

export const RELAY_PROTOCOL = "fanfold-relay/1";

/** Bytes of an answer's head; more is no relay. */
const ANSWER_BYTES_MAX = 8 * 1024;
const ANSWER_END = "\r\n\r\n";
const TICKET = /^[\x21-\x7e]{1,1024}$/;
const BEARER = /^Bearer ([\x21-\x7e]{1,1024})$/i;

interface UpgradeRequestOptions {
  readonly host: string;
  readonly port: number;
  readonly ticket: string;
  readonly clientName: string;
}

/** @throws FanfoldError `broker-denied` when the ticket cannot be one */
export function upgradeRequest({ host, port, ticket, clientName }: UpgradeRequestOptions): string {
  if (!TICKET.test(ticket))
    throw new FanfoldError(
      "broker-denied",
      "cannot connect to the relay: the ticket does not have the form of a ticket",
    );
  return [
    `GET ${PORT_PATHS.relay} HTTP/1.1`,
    `Host: ${formatHostPort({ host, port })}`,
    "Connection: Upgrade",
    `Upgrade: ${RELAY_PROTOCOL}`,
    `Authorization: Bearer ${ticket}`,
    `User-Agent: ${clientName.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 128)}`,
    "",
    "",
  ].join("\r\n");
}

/** What the relay answers to a good request. */
export const UPGRADE_ACCEPTED = [
  "HTTP/1.1 101 Switching Protocols",
  "Connection: Upgrade",
  `Upgrade: ${RELAY_PROTOCOL}`,
  "",
  "",
].join("\r\n");

/** A refusal, with a text for a person. */
export function upgradeRefused(status: 400 | 401 | 426 | 503, text: string): string {
  const reasons = { 400: "Bad Request", 401: "Unauthorized", 426: "Upgrade Required", 503: "Service Unavailable" };
  const extra = status === 426 ? [`Upgrade: ${RELAY_PROTOCOL}`] : status === 401 ? ["WWW-Authenticate: Bearer"] : [];
  return [
    `HTTP/1.1 ${status} ${reasons[status]}`,
    "Connection: close",
    "Content-Type: text/plain; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(text)}`,
    ...extra,
    "",
    text,
  ].join("\r\n");
}

/** The ticket of a request, or undefined when there is none. */
export function ticketOf(authorization: string | undefined): string | undefined {
  return BEARER.exec(authorization ?? "")?.[1];
}

/** Collects the relay's answer to the upgrade request, in any chunking. */
export class UpgradeAnswer {
  #head = "";

  /**
   * Returns what comes after the answer once it is complete and good, undefined while it is not complete.
   *
   * @throws FanfoldError `broker-denied`, or `broker-unreachable` when the answer is not a relay's
   */
  push(chunk: Uint8Array): Uint8Array | undefined {
    const before = this.#head.length;
    this.#head += Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString("latin1");
    const end = this.#head.indexOf(ANSWER_END, Math.max(0, before - ANSWER_END.length));
    if (end < 0 && this.#head.length <= ANSWER_BYTES_MAX && "HTTP/1.1 ".startsWith(this.#head.slice(0, 9)))
      return undefined;
    const [status] = this.#head.slice(0, end < 0 ? ANSWER_BYTES_MAX : end).split("\r\n");
    const code = /^HTTP\/1\.1 (\d{3})(?: |$)/.exec(status ?? "")?.[1];
    if (code === "401" || code === "403") {
      throw new FanfoldError("broker-denied", "cannot connect to the relay: it refused the ticket of this client");
    }
    if (code === "503")
      throw new FanfoldError("broker-unreachable", "cannot connect to the relay: it takes no clients now");
    if (end < 0 || code !== "101" || !this.#speaksRelay(end)) {
      const found = code === undefined ? "found no HTTP answer" : `found the HTTP status ${code}`;
      throw new FanfoldError(
        "broker-unreachable",
        `cannot connect to the relay: ${found}; want a fanfold coordinator there`,
      );
    }
    return chunk.subarray(end + ANSWER_END.length - before);
  }

  #speaksRelay(end: number): boolean {
    const lines = this.#head.slice(0, end).toLowerCase().split("\r\n");
    return lines.some(
      (line) => /^upgrade:\s*/.test(line) && line.replace(/^upgrade:\s*/, "").trim() === RELAY_PROTOCOL,
    );
  }
}
