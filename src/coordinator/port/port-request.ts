import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { FanfoldError } from "../../lib/errors.ts";
import { isLoopbackHost } from "../../lib/net/host-port.ts";
import type { Visitor } from "./visitor.ts";

/** Of a request's body: the largest question of the API is a few hundred bytes. */
export const BODY_BYTES_MAX = 16 * 1024;

/** A request to the API. */
export interface PortRequest {
  readonly method: string;
  /** Without what comes after a `?`. */
  readonly path: string;
  /** What comes after it. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  /** Where the client is: `10.0.0.3`. */
  readonly address: string;
  /** The port that it came to. */
  readonly port: number;
  /** It came over TLS. */
  readonly isSecure: boolean;
  /** Nobody on the way could read it: it came over TLS, or stayed inside this machine. */
  readonly isPrivate: boolean;
  /** Ends when the client goes, or the server closes. */
  readonly signal: AbortSignal;
  /** To be called when it is proven who asks: its connection then has the time that it needs. Idempotent. */
  authenticated(): void;
  /** The whole body; read only when it is asked for. @throws FanfoldError `payload-too-large` or `damaged` */
  body(): Promise<string>;
}

interface RequestContext {
  readonly visitor: Visitor;
  readonly signal: AbortSignal;
}

/** Path and query of what a request asks for. */
export function targetOf({ url = "" }: IncomingMessage): Pick<PortRequest, "path" | "query"> {
  const mark = url.indexOf("?");
  return mark < 0 ? { path: url, query: "" } : { path: url.slice(0, mark), query: url.slice(mark + 1) };
}

export function portRequest(request: IncomingMessage, { visitor, signal }: RequestContext): PortRequest {
  const { headers, socket } = request;
  const { address, pin } = visitor;
  const isInside = isLoopbackHost(address) || socket.remoteAddress === socket.localAddress;
  const isSecure = pin !== "";
  return {
    method: request.method ?? "GET",
    ...targetOf(request),
    headers,
    address,
    port: socket.localPort ?? 0,
    isSecure,
    isPrivate: isSecure || isInside,
    signal,
    authenticated: () => visitor.authenticated(),
    body: () => readBody(request),
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    // A body that is too large leaves the connection open for the answer.
    for await (const piece of request.iterator({ destroyOnReturn: false })) {
      const data = Buffer.from(piece);
      bytes += data.length;
      if (bytes > BODY_BYTES_MAX) {
        throw new FanfoldError(
          "payload-too-large",
          `cannot read a request: its body has more than ${BODY_BYTES_MAX} bytes; send less`,
        );
      }
      pieces.push(data);
    }
  } catch (cause) {
    if (cause instanceof FanfoldError) throw cause;
    throw new FanfoldError("damaged", "cannot read a request: its body broke off", { cause });
  }
  return Buffer.concat(pieces).toString("utf8");
}
