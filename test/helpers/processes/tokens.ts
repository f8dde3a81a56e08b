import { atLocalDesk } from "../../../src/cli/operator/local-desk.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import type { ClientCertificate } from "../../../src/lib/tls/client-certificate.ts";

type MemberRole = "source" | "sink";

/** The command, its role and the coordinator's port, in a whole line, with quotes around each word or without. */
const JOINS = /fanfold\.cjs'? '?(source|sink)\b.*--coordinator'? '?[^\s']*?:(\d+)/;

/** The tokens that the coordinators of a lab made at their first start. */
export class Tokens {
  readonly #byPort = new Map<string, Readonly<Record<MemberRole, string>>>();
  #latest: Readonly<Record<MemberRole, string>> | undefined;

  /** Asks a coordinator that runs. */
  async learn(address: string, stateDir: string): Promise<void> {
    this.#latest = await firstTokens(stateDir);
    this.#byPort.set(portOf(address), this.#latest);
  }

  /**
   * What a program is given, if it is a command that joins, or runs one: behind a proxy, the token of the latest
   * coordinator.
   */
  environment(words: readonly string[]): NodeJS.ProcessEnv {
    const [, role, port = ""] = JOINS.exec(words.join(" ")) ?? [];
    if (role !== "source" && role !== "sink") return {};
    const token = (this.#byPort.get(port) ?? this.#latest)?.[role];
    return token === undefined ? {} : { FANFOLD_TOKEN: token };
  }
}

/**
 * The tokens of the first start, of a coordinator that runs or does not.
 *
 * @param client shown to one that asks for a certificate
 */
export async function firstTokens(
  stateDir: string,
  client?: ClientCertificate,
): Promise<Readonly<Record<MemberRole, string>>> {
  const { signal } = new AbortController();
  return await atLocalDesk({ stateDir, client, io: { clock: systemClock }, signal }, async (desk) => {
    const tokens = await desk.tokens();
    const textOf = async (role: MemberRole): Promise<string> => {
      const first = tokens.find((token) => token.role === role);
      if (first === undefined) throw new Error(`expected a token for a ${role}`);
      return (await desk.showToken(first.id)).token;
    };
    return { source: await textOf("source"), sink: await textOf("sink") };
  });
}

/** The value of an option in a list of arguments. */
export function optionIn(args: readonly string[], option: string): string | undefined {
  const at = args.indexOf(option);
  return at < 0 ? undefined : args[at + 1];
}

function portOf(address: string): string {
  return address.replace(/^.*:/, "");
}
