import { z } from "zod";
import { readOperatorPass } from "../../coordinator/access/local-operator.ts";
import { defaultCoordinatorState } from "../../lib/folder/state-folder.ts";
import { isLoopbackHost } from "../../lib/net/host-port.ts";
import { ServerTrust } from "../../lib/tls/server-trust.ts";
import { parseCoordinatorAddress } from "../../member/address.ts";
import { askedContact, trustFor } from "../../member/contact.ts";
import { API_PATHS } from "../../protocol/coordinator-port.ts";
import { callApi } from "../operator/api-client.ts";
import type { GivenDesk } from "../operator/at-desk.ts";
import type { Office } from "../operator/remote-desk.ts";
import { readContact } from "../options/contact-options.ts";
import type { ProgramIo } from "../process/program-io.ts";
import type { AskedKind } from "./asked.ts";

/** Somebody waits at a prompt. */
export const ASK_MS_MAX = 900;

/** What a coordinator knows. */
type KnownKind = Exclude<AskedKind, "profiles">;

/** Also a coordinator that is open to all tells these by a token only. */
const GUARDED: ReadonlySet<KnownKind> = new Set<KnownKind>(["members", "tokens"]);

/** Names that a coordinator knows, by the token at hand or as its own user. @throws FanfoldError when it does not tell */
export async function askCoordinator(asked: KnownKind, options: GivenDesk, io: ProgramIo): Promise<readonly string[]> {
  for (const officeOf of [localOffice, remoteOffice]) {
    const names = await namesAt(asked, async () => officeOf(options, io, asked)).catch(() => undefined);
    if (names !== undefined) return names;
  }
  return [];
}

async function namesAt(
  asked: KnownKind,
  find: () => Promise<Office | undefined>,
): Promise<readonly string[] | undefined> {
  const office = await find();
  if (office === undefined) return undefined;
  const answers = await Promise.all(QUESTIONS[asked].map((question) => ask(office, question)));
  return [...new Set(answers.flat())];
}

interface NameQuestion {
  readonly path: string;
  readonly list: string;
  readonly name: string;
}

const LIVE: NameQuestion = { path: API_PATHS.sessions, list: "sessions", name: "session" };
const PAST: NameQuestion = { path: `${API_PATHS.history}?limit=50`, list: "sessions", name: "session" };

const QUESTIONS: Readonly<Record<KnownKind, readonly NameQuestion[]>> = {
  sessions: [LIVE, PAST],
  history: [{ ...PAST, name: "sessionId" }],
  sinks: [{ path: API_PATHS.sinks, list: "sinks", name: "name" }],
  members: [{ path: API_PATHS.members, list: "members", name: "name" }],
  tokens: [{ path: API_PATHS.tokens, list: "tokens", name: "id" }],
};

/** No more of an answer is looked at: another version may say more than this one knows. */
const answerSchema = z.record(z.string(), z.unknown());

async function ask(office: Office, { path, list, name }: NameQuestion): Promise<readonly string[]> {
  const answer = answerSchema.parse(await callApi(office, { method: "GET", path, withinMs: ASK_MS_MAX }));
  const items = z.array(answerSchema).parse(answer[list]);
  return items.map((item) => item[name]).filter((each) => typeof each === "string");
}

/** Undefined where the coordinator would say no: to it that is somebody who tries to come in. */
async function remoteOffice(options: GivenDesk, io: ProgramIo, asked: KnownKind): Promise<Office | undefined> {
  const contact = await readContact(options, io, AbortSignal.timeout(ASK_MS_MAX));
  const { token } = contact;
  const { typed, ...known } = askedContact(contact);
  const trust = trustFor(typed, { ...known, remembered: undefined });
  const role = known.token?.role;
  const isOpen = trust === undefined && !GUARDED.has(asked);
  const mayRead = role === undefined ? isOpen : role === "observer" || role === "admin";
  return mayRead ? { address: { ...typed, trust }, token } : undefined;
}

/** A coordinator of this user on this machine. */
function localOffice({ coordinator, stateDir, port }: GivenDesk, { env }: ProgramIo): Office | undefined {
  const typed = parseCoordinatorAddress(coordinator);
  if (stateDir === undefined && port === undefined && !isLoopbackHost(typed.host)) return undefined;
  const { address, pin, token } = readOperatorPass(stateDir ?? defaultCoordinatorState(env, port ?? typed.port));
  const { host, port: own } = parseCoordinatorAddress(address.replace(/^https:/, "http:"));
  return {
    address: { host, port: own, trust: pin === "" ? undefined : new ServerTrust({ pin, client: undefined }) },
    token,
  };
}
