import { FanfoldError, reasonOf, systemCode } from "../lib/errors.ts";
import { formatHostPort } from "../lib/net/host-port.ts";
import { speaksTls } from "../lib/tls/probe-certificate.ts";
import type { ServerPlace } from "../lib/tls/server-place.ts";
import { tlsFailure } from "../lib/tls/tls-failure.ts";
import type { CoordinatorAddress } from "./address.ts";

/** How failures of a connection to a coordinator are told. */
export function serverAt(address: CoordinatorAddress): ServerPlace {
  const what = `cannot connect to the coordinator at ${formatHostPort(address)}`;
  const unreachable = (found: string, cause?: unknown): FanfoldError =>
    new FanfoldError(
      "coordinator-unreachable",
      `${what}: ${found}; is "fanfold coordinator" running there?`,
      cause === undefined ? {} : { cause },
    );
  const { host, port, trust } = address;
  return { host, port, trust, what, unreachable };
}

/** Why nothing came of a connection that stood. */
export async function connectionFailure(server: ServerPlace, cause: Error, signal: AbortSignal): Promise<FanfoldError> {
  const { what, trust, unreachable } = server;
  const failure = tlsFailure(what, cause, trust);
  if (failure !== undefined) return failure;
  // A server that speaks TLS hangs up without a word.
  if (trust === undefined && (await speaksTls(server, signal)))
    return new FanfoldError(
      "tls-failed",
      `${what}: it speaks TLS only; set FANFOLD_TOKEN or --token-file to a token of it, or write https:// before an address that an authority vouches for`,
      { cause },
    );
  if (systemCode(cause)?.startsWith("HPE_") === true)
    return notACoordinator(formatHostPort(server), "it does not speak HTTP", cause);
  return unreachable(reasonOf(cause), cause);
}

/** It has `--tls-client-ca`. */
export function certificateWanted(what: string): FanfoldError {
  const wanted = "it wants a certificate that its authority signed; give one with --tls-cert and --tls-key";
  return new FanfoldError("certificate-wanted", `${what}: ${wanted}`);
}

export function notACoordinator(where: string, found: string, cause?: unknown): FanfoldError {
  const text = `cannot connect to the coordinator at ${where}: something else answers there (${found}); check the port`;
  return new FanfoldError("not-a-coordinator", text, { cause });
}
