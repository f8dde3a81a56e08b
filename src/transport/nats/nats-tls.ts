import { connect, isIP } from "node:net";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
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
const INFO_WITHIN_MS = 2_000;

/**
 * Whether a NATS server asks its clients for certificates: it says so in its first line, before TLS begins. It breaks the
 * link to a client that has no good one, and the library only tells that no answer came. False when it says nothing.
 */
export function asksForCertificates({ host, port }: HostPort, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    let line = "";
    const socket = connect({ host, port, signal });
    const timer = setTimeout(() => socket.destroy(), INFO_WITHIN_MS);
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      line += text;
      if (line.includes("\n") || line.length > INFO_BYTES_MAX) socket.destroy();
    });
    // An error comes before the end.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(/^INFO .*"tls_verify":\s*true/.test(line));
    });
  });
}
