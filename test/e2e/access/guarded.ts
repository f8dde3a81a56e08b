import type { ClientCertificate } from "../../../src/lib/tls/client-certificate.ts";
import type { CliLab, RunningCoordinator } from "../../helpers/processes/cli.ts";
import { firstTokens } from "../../helpers/processes/tokens.ts";

/** A coordinator that serves TLS and asks for tokens. */
export interface GuardedCoordinator extends RunningCoordinator {
  readonly port: number;
  readonly stateDir: string;
  /** The token that it made at its first start for such a member. */
  token(role: "source" | "sink"): Promise<string>;
}

interface GuardedStart {
  readonly stateDir?: string;
  readonly port?: number;
  readonly broker?: string;
  readonly args?: readonly string[];
  /** Shown to the coordinator when it is asked for its tokens. */
  readonly client?: ClientCertificate;
}

/** `address` is without a scheme, as people type it. */
export async function startGuarded(
  lab: CliLab,
  { stateDir = lab.path("coordinator"), port, broker = "embedded", args = [], client }: GuardedStart = {},
): Promise<GuardedCoordinator> {
  const started = await lab.coordinator({
    ...(port === undefined ? {} : { port }),
    broker,
    args: ["--require-token", "--state-dir", stateDir, ...args],
  });
  const at = Number(/:(\d+)$/.exec(started.address)?.[1]);
  return {
    process: started.process,
    address: `127.0.0.1:${at}`,
    port: at,
    stateDir,
    token: async (role) => (await firstTokens(stateDir, client))[role],
  };
}
