import { readOperatorPass } from "../../coordinator/access/local-operator.ts";
import { openOfflineDesk } from "../../coordinator/access/offline-desk.ts";
import { FanfoldError, systemCode } from "../../lib/errors.ts";
import type { FilePath } from "../../lib/folder/file-path.ts";
import { systemRandom } from "../../lib/random.ts";
import type { ClientCertificate } from "../../lib/tls/client-certificate.ts";
import { ServerTrust } from "../../lib/tls/server-trust.ts";
import { parseCoordinatorAddress } from "../../member/address.ts";
import type { ProgramIo } from "../process/program-io.ts";
import type { OperatorDesk } from "./operator-desk.ts";
import { remoteDesk } from "./remote-desk.ts";

/** How long a coordinator that is just being started or stopped is waited for. */
const SETTLES_WITHIN_MS = 5000;
const LOOK_EVERY_MS = 100;

interface LocalDeskOptions {
  readonly stateDir: FilePath;
  readonly client: ClientCertificate | undefined;
  readonly io: Pick<ProgramIo, "clock">;
  readonly signal: AbortSignal;
}

/**
 * Works at the desk of the coordinator of a state directory: of the one that runs with it, or else at the state itself.
 *
 * @throws FanfoldError as the work does, and as `openOfflineDesk` and `callApi` do
 */
export async function atLocalDesk<T>(options: LocalDeskOptions, work: (desk: OperatorDesk) => Promise<T>): Promise<T> {
  const { stateDir, client, io, signal } = options;
  const untilMs = io.clock.nowMs() + SETTLES_WITHIN_MS;
  for (;;) {
    {
      using offline = await openOfflineDesk({ stateDir, clock: io.clock, random: systemRandom });
      if (offline !== undefined) return await work(asOperatorDesk(offline));
    }
    try {
      return await work(runningDesk(stateDir, client));
    } catch (thrown) {
      // It holds the state, and has not written its pass yet, or has removed it already.
      const { cause } = FanfoldError.from(thrown);
      if (systemCode(cause) !== "ENOENT" || io.clock.nowMs() >= untilMs) throw thrown;
    }
    await io.clock.sleep(LOOK_EVERY_MS, signal);
  }
}

function runningDesk(stateDir: FilePath, client: ClientCertificate | undefined): OperatorDesk {
  const { address, pin, token } = readOperatorPass(stateDir);
  const { host, port } = parseCoordinatorAddress(address.replace(/^https:/, "http:"));
  const trust = pin === "" ? undefined : new ServerTrust({ pin, client });
  return remoteDesk({ address: { host, port, trust }, token });
}

function notRunning(what: string): () => Promise<never> {
  return async () => {
    throw new FanfoldError("coordinator-unreachable", `${what}: the coordinator does not run`);
  };
}

type Offline = NonNullable<Awaited<ReturnType<typeof openOfflineDesk>>>;

function asOperatorDesk({ desk, database }: Offline): OperatorDesk {
  // Most of those who work at a desk do not look.
  const records = async () => (await import("../../coordinator/api/kept-records.ts")).keptRecords(database);
  return {
    records: {
      history: async (query) => (await records()).history(query),
      session: async (id) => (await records()).session(id),
      live: async () => [],
      sinks: async () => (await records()).sinks(),
      wanted: async () => (await records()).wanted(),
    },
    runs: false,
    limit: notRunning("cannot change a limit"),
    verify: notRunning("cannot ask sinks"),
    verification: notRunning("cannot tell what sinks have answered"),
    run: notRunning("cannot have a run now"),
    createToken: async (order) => desk.createToken(order),
    tokens: async () => desk.tokens(),
    showToken: async (id) => desk.showToken(id),
    revokeToken: async (id) => desk.revokeToken(id),
    members: async () => desk.members(),
    removeMember: async (key) => void desk.removeMember(key),
    renameMember: async (key, name) => void desk.renameMember(key, name),
  };
}
