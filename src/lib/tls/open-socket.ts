import type { X509Certificate } from "node:crypto";
import { connect, type OnReadOpts, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { pinOf } from "../crypto/public-key-pin.ts";
import { FanfoldError } from "../errors.ts";
import { connected } from "./connected.ts";
import { loadTls } from "./load-tls.ts";
import { checkPin, probeCertificate } from "./probe-certificate.ts";
import type { ServerPlace } from "./server-place.ts";
import type { ServerTrust } from "./server-trust.ts";
import { tlsReason } from "./tls-failure.ts";

/** A connection over which a client may speak. */
export interface OpenSocket {
  readonly socket: Socket;
  /** Of the key that the server has proven to have; empty without TLS. */
  readonly pin: string;
  /** What the server has shown; undefined without TLS. The socket itself gives it once only. */
  readonly certificate: X509Certificate | undefined;
}

interface SocketOptions {
  readonly signal: AbortSignal;
  /** Where what comes is read into, in the place of `data` events. */
  readonly onread?: OnReadOpts;
}

/**
 * Connects to a server. With TLS the server is verified before a byte is sent to it. A server with a pin whose certificate
 * is not known, or was renewed, is looked at first (`probeCertificate`).
 *
 * @throws FanfoldError `pin-mismatch`, and as `connected` does
 */
export async function openSocket(server: ServerPlace, options: SocketOptions): Promise<OpenSocket> {
  const { trust } = server;
  if (trust === undefined) return { socket: await openPlain(server, options), pin: "", certificate: undefined };
  if (trust.pin === "") return await openTls(server, trust, options);
  const known = trust.certificate;
  if (known === undefined) return await openProbed(server, trust, options);
  try {
    return await openTls(server, trust, options);
  } catch (thrown) {
    const { code } = FanfoldError.from(thrown);
    // It may have another certificate by now, for the same key.
    if (code === "tls-failed" || code === "clock-off") return await openProbed(server, trust, options);
    throw thrown;
  }
}

async function openPlain(server: ServerPlace, { signal, onread }: SocketOptions): Promise<Socket> {
  const { host, port } = server;
  const socket = connect({ host, port, ...(onread === undefined ? {} : { onread }) });
  await connected(socket, "connect", server, signal);
  return socket.setNoDelay(true);
}

async function openProbed(server: ServerPlace, trust: ServerTrust, options: SocketOptions): Promise<OpenSocket> {
  trust.learn(await probeCertificate(server, trust.pin, options.signal));
  return await openTls(server, trust, options);
}

async function openTls(server: ServerPlace, trust: ServerTrust, options: SocketOptions): Promise<OpenSocket> {
  const { signal, onread } = options;
  const socket = beginTls(server, trust, onread);
  await connected(socket, "secureConnect", server, signal);
  const certificate = socket.getPeerX509Certificate();
  try {
    if (certificate === undefined) throw server.unreachable("it showed no certificate");
    const pin = pinOf(certificate);
    if (trust.pin !== "") checkPin(server, pin, trust.pin);
    return { socket: socket.setNoDelay(true), pin, certificate };
  } catch (thrown) {
    socket.destroy();
    throw thrown;
  }
}

function beginTls({ what, host, port }: ServerPlace, trust: ServerTrust, onread: OnReadOpts | undefined): TLSSocket {
  const options = trust.connectionOptions(host);
  try {
    return loadTls().connect({ ...options, port, ...(onread === undefined ? {} : { onread }) });
  } catch (cause) {
    if (trust.client === undefined) throw cause;
    const text = `${what}: the certificate or the key of this client cannot be used (${tlsReason(cause)}); want PEM, and the key that belongs to the certificate`;
    throw new FanfoldError("usage", text, { cause });
  }
}
