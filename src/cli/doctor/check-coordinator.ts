import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { FanfoldError, reasonOf } from "../../lib/errors.ts";
import { pathIn } from "../../lib/folder/file-path.ts";
import { readPrivateFile } from "../../lib/folder/private-file.ts";
import { defaultSourceState } from "../../lib/folder/state-folder.ts";
import { formatHostPort, plainHost } from "../../lib/net/host-port.ts";
import { type OpenSocket, openSocket } from "../../lib/tls/open-socket.ts";
import { type CoordinatorAddress, parseCoordinatorAddress, type TypedAddress } from "../../member/address.ts";
import { trustFor } from "../../member/contact.ts";
import {
  COORDINATORS_BYTES_MAX,
  COORDINATORS_FILE,
  findCoordinator,
  type RememberedCoordinator,
} from "../../member/remembered-coordinators.ts";
import { serverAt } from "../../member/server-at.ts";
import { parseToken, type Token } from "../../protocol/access/token.ts";
import { OWN_FOLDER } from "../../protocol/names/relative-path.ts";
import { askHealth, certificateFinding, clockFinding, healthFindings } from "./coordinator-health.ts";
import { type DoctorFinding, type DoctorTask, Look } from "./finding.ts";
import { askedToken, tokenWords } from "./token-finding.ts";

const ADDRESS = new Look("address", "a host name that resolves");
const PORT = new Look("port", "a coordinator that answers");
const TOKEN = new Look("token", "a whole token, which the coordinator takes");
/** What is behind the port, in the order in which it is looked at. */
const BEHIND = ["certificate", "protocol", "coordinator", "clock"] as const;

const ANSWER_WITHIN_MS = 10_000;

/** The way to the coordinator, step by step: each needs the one before it. */
export async function checkCoordinator(task: DoctorTask): Promise<readonly DoctorFinding[]> {
  const { typed, findings, token } = read(task);
  const way = [...findings, ...(await wayTo(task, { typed, token }))];
  if (token === undefined || way.some(({ check }) => check === TOKEN.check)) return way;
  return [...way, TOKEN.skipped(`${tokenWords(token)} is whole; the coordinator was not asked`)];
}

interface Given {
  readonly typed: TypedAddress;
  readonly token: Token | undefined;
}

async function wayTo(task: DoctorTask, { typed, token }: Given): Promise<readonly DoctorFinding[]> {
  const address = await addressFinding(typed);
  if (address.status === "error") return [address, PORT.skipped(UNRESOLVED), ...behind(UNRESOLVED)];
  const trust = reached(task, typed, token);
  if (trust instanceof FanfoldError) {
    const certificate = new Look("certificate", "a token, or a coordinator that is known already");
    return [address, PORT.skipped(UNKNOWN), certificate.failed(trust), ...behind(UNKNOWN, ["certificate"])];
  }
  const place: CoordinatorAddress = { host: typed.host, port: typed.port, trust };
  const limit = AbortSignal.any([task.signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]);
  try {
    const open = await openSocket(serverAt(place), { signal: limit });
    return [address, ...(await visit(open, { place, task, token, signal: limit }))];
  } catch (thrown) {
    task.signal.throwIfAborted();
    const found = limit.aborted ? serverAt(place).unreachable("no answer") : thrown;
    return [address, ...connectionFindings(FanfoldError.from(found), task)];
  }
}

interface DoctorVisit {
  readonly place: CoordinatorAddress;
  readonly task: DoctorTask;
  readonly token: Token | undefined;
  readonly signal: AbortSignal;
}

/** The connection stands. */
async function visit(
  { socket, certificate: shown }: OpenSocket,
  { place, task, token, signal }: DoctorVisit,
): Promise<readonly DoctorFinding[]> {
  const findings = [
    PORT.ok(`${formatHostPort(place)} answers, ${place.trust === undefined ? "without TLS" : "over TLS"}`),
  ];
  const now = (): Date => task.clock.date();
  const certificate = certificateFinding(shown, { pinned: (place.trust?.pin ?? "") !== "", now: now() });
  const health = await askHealth(socket, { server: serverAt(place), now, signal });
  if (health instanceof FanfoldError) {
    task.signal.throwIfAborted();
    return [
      ...findings,
      new Look("protocol", "a coordinator of fanfold").failed(health),
      ...behind(UNANSWERED, ["protocol"]),
    ];
  }
  findings.push(certificate);
  findings.push(...healthFindings(health), clockFinding(health));
  const text = task.contact.token;
  if (token !== undefined && text !== undefined) findings.push(await askedToken(TOKEN, { place, token, text }));
  return findings;
}

/** The token and the address, as they were given. */
function read({ contact, contactFailure }: DoctorTask): {
  readonly typed: TypedAddress;
  readonly findings: DoctorFinding[];
  readonly token: Token | undefined;
} {
  const typed = parseCoordinatorAddress(contact.coordinator);
  if (contactFailure !== undefined) return { typed, findings: [TOKEN.failed(contactFailure)], token: undefined };
  if (contact.token === undefined) {
    const todo = "set FANFOLD_TOKEN or --token-file to have it looked at";
    return { typed, findings: [TOKEN.skipped("no token was given", todo)], token: undefined };
  }
  try {
    return { typed, findings: [], token: parseToken(contact.token) };
  } catch (thrown) {
    return { typed, findings: [TOKEN.failed(thrown)], token: undefined };
  }
}

async function addressFinding({ host }: TypedAddress): Promise<DoctorFinding> {
  const plain = plainHost(host);
  if (isIP(plain) !== 0) return ADDRESS.ok(`${plain} is an address by itself`);
  try {
    const found = await lookup(plain, { all: true });
    return ADDRESS.ok(`${plain} is ${found.map(({ address }) => address).join(", ")}`);
  } catch (thrown) {
    const todo = "check the name, and the name servers of this machine; an address works without them";
    return ADDRESS.error(`${plain} does not resolve: ${reasonOf(thrown)}`, todo);
  }
}

/** By what the coordinator is known: the token, or what a member remembers from an earlier session. */
function reached(task: DoctorTask, typed: TypedAddress, token: Token | undefined) {
  const where = formatHostPort({ host: plainHost(typed.host), port: typed.port });
  try {
    return trustFor(typed, { token, client: task.contact.clientCertificate, remembered: recall(task, where) });
  } catch (thrown) {
    return FanfoldError.from(thrown);
  }
}

function recall({ sink, env }: DoctorTask, where: string): RememberedCoordinator | undefined {
  const files = [pathIn(defaultSourceState(env), COORDINATORS_FILE)];
  if (sink !== undefined) files.unshift(pathIn(sink, OWN_FOLDER, COORDINATORS_FILE));
  for (const file of files) {
    try {
      const found = findCoordinator(readPrivateFile(file, COORDINATORS_BYTES_MAX), where);
      if (found !== undefined) return found;
    } catch {
      // What cannot be read is looked at where the folder is.
    }
  }
  return undefined;
}

/** Codes that speak of the certificate, or the clock it is compared with. */
const CERTIFICATE_CODES: ReadonlySet<string> = new Set([
  "pin-mismatch",
  "tls-failed",
  "certificate-wanted",
  "clock-off",
]);

function connectionFindings(error: FanfoldError, { namesCoordinator }: DoctorTask): readonly DoctorFinding[] {
  if (!namesCoordinator && error.code === "coordinator-unreachable") {
    const why = "no coordinator was named, and none answers on this machine";
    return [PORT.skipped(why, "name it with --coordinator to have it looked at"), ...behind(why)];
  }
  if (!CERTIFICATE_CODES.has(error.code)) return [PORT.failed(error), ...behind(UNCONNECTED)];
  const found = new Look("certificate", "the certificate of the coordinator that is meant, at a time when it is valid");
  return [PORT.ok("something listens there"), found.failed(error), ...behind(UNCONNECTED, ["certificate"])];
}

const UNRESOLVED = "the host name does not resolve";
const UNKNOWN = "it is not known by what the coordinator is to be recognised";
const UNANSWERED = "what answers there does not answer as a coordinator";
const UNCONNECTED = "there is no connection to the coordinator";

function behind(why: string, but: readonly (typeof BEHIND)[number][] = []): readonly DoctorFinding[] {
  return BEHIND.filter((name) => !but.includes(name)).map((name) =>
    new Look(name, "a connection to the coordinator").skipped(why),
  );
}
