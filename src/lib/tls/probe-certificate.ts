import type { X509Certificate } from "node:crypto";
import { pinOf, samePin } from "../crypto/public-key-pin.ts";
import { FanfoldError } from "../errors.ts";
import { connected } from "./connected.ts";
import { loadTls } from "./load-tls.ts";
import type { ServerPlace } from "./server-place.ts";
import { helloOptions } from "./server-trust.ts";

/** Of a pin, in texts: enough for a person to compare. */
const PIN_CHARS_SHOWN = 12;

/**
 * The certificate of the server whose key has this pin, as PEM. It is looked at in a connection that ends with the
 * handshake: nobody gets at it, so it carries nothing, and need not be verified.
 *
 * @throws FanfoldError `pin-mismatch`, and as `connected` does
 */
export async function probeCertificate(server: ServerPlace, pin: string, signal: AbortSignal): Promise<string> {
  const certificate = await peerCertificate(server, signal);
  checkPin(server, pinOf(certificate), pin);
  return certificate.toString();
}

/** Whether a server that does not speak otherwise speaks TLS. Nothing is sent to it. */
export async function speaksTls(server: ServerPlace, signal: AbortSignal): Promise<boolean> {
  return await peerCertificate(server, signal).then(
    () => true,
    () => false,
  );
}

/** @throws FanfoldError `pin-mismatch` */
export function checkPin({ what }: ServerPlace, found: string, wanted: string): void {
  if (samePin(found, wanted)) return;
  const [is, shall] = [found, wanted].map((pin) => `${pin.slice(0, PIN_CHARS_SHOWN)}…`);
  throw new FanfoldError(
    "pin-mismatch",
    `${what}: it has the key ${is}, expected ${shall}; somebody may stand in between, or the coordinator was set up anew: then get a new token`,
  );
}

async function peerCertificate(server: ServerPlace, signal: AbortSignal): Promise<X509Certificate> {
  const { host, port } = server;
  const socket = loadTls().connect({ ...helloOptions(host), port, rejectUnauthorized: false });
  try {
    await connected(socket, "secureConnect", server, signal);
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) throw server.unreachable("it showed no certificate");
    return certificate;
  } finally {
    socket.destroy();
  }
}
