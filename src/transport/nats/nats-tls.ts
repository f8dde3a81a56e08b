import { connect, isIP, type Socket } from "node:net";
import { checkServerIdentity, connect as connectTls, type PeerCertificate } from "node:tls";
import type { TlsOptions } from "@nats-io/transport-node";
import type { HostPort } from "../../lib/net/host-port.ts";
import type { BrokerTls } from "../target.ts";

/** Node.js calls the other end this when it is told no name. */
const NAMELESS = "localhost";

/**
 * How a TLS link to a NATS server is verified: by these authorities, and by the name that stands in the URL.
 *
 * The library resolves names itself and keeps them for the verification. For a numeric address it has none, and Node.js
 * would then verify "localhost". So the certificate has to name one of the addresses that stand in the URL.
 *
 * @param places of the URL
 */
export function natsTls(places: readonly HostPort[], { ca, certificate }: BrokerTls): TlsOptions {
  const hosts = places.map(({ host }) => host);
  const options = {
    ...(ca === undefined ? {} : { ca: ca.join("") }),
    ...(certificate === undefined ? {} : { cert: certificate.certificate, key: certificate.key }),
    checkServerIdentity: (name: string, peer: PeerCertificate): Error | undefined => {
      const wanted = name === NAMELESS ? hosts.filter((host) => isIP(host) !== 0 || host === NAMELESS) : [name];
      const faults = wanted.map((host) => checkServerIdentity(host, peer));
      return faults.includes(undefined) ? undefined : (faults[0] ?? checkServerIdentity(name, peer));
    },
  };
  return options;
}

/** A server tells much about its cluster in its first line. */
const INFO_BYTES_MAX = 256 * 1024;
const FAULT_WITHIN_MS = 10_000;
/** Whoever gets an answer to it, be it a refusal, has come through TLS. */
const QUESTION = "PING\r\n";

/**
 * Why a NATS server that asks for certificates takes no link with TLS: it refuses a certificate, or that there is none, only
 * behind the handshake, and the library then tells that no answer came. It tells the same of a server that is slow. Undefined
 * where the server answers, asks for none, or still says nothing.
 */
export async function tlsFault(place: HostPort, tls: BrokerTls, signal: AbortSignal): Promise<Error | undefined> {
  const until = AbortSignal.any([signal, AbortSignal.timeout(FAULT_WITHIN_MS)]);
  const socket = connect({ ...place, signal: until });
  // What happens to it is told of by its end, or by the link above it.
  socket.on("error", () => undefined);
  if (!/^INFO .*"tls_verify":\s*true/.test(await firstLine(socket))) {
    socket.destroy();
    return undefined;
  }
  const named = isIP(place.host) === 0 ? { servername: place.host } : {};
  const secured = connectTls({ ...natsTls([place], tls), ...named, socket });
  return await new Promise<Error | undefined>((resolve) => {
    secured.write(QUESTION);
    secured.once("data", () => resolve(undefined));
    secured.on("error", resolve);
    secured.once("close", () => resolve(undefined));
    socket.once("close", () => secured.destroy());
  }).finally(() => secured.destroy());
}

/** All that came, where it ends before. */
function firstLine(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let line = "";
    const take = (bytes: Buffer): void => {
      line += bytes.toString("latin1");
      if (line.includes("\n") || line.length > INFO_BYTES_MAX) end();
    };
    const end = (): void => {
      socket.off("data", take);
      socket.off("close", end);
      resolve(line);
    };
    socket.on("data", take);
    socket.once("close", end);
  });
}
