import type { FilePath } from "../../lib/folder/file-path.ts";
import { fileFault, readSmallFile } from "../../lib/folder/small-file.ts";
import { isNkey, Nkey, type NkeyKind } from "./nats-nkey.ts";

/** What a coordinator needs to let members into a NATS server: one key for each role. */
export interface NatsSeeds {
  /** Public key of the account. */
  readonly account: string;
  readonly keys: Readonly<Record<NatsRole, Nkey>>;
  /** Absent: the coordinator cannot make credentials void before their end. */
  readonly remover: NatsRemover | undefined;
}

/** What makes credentials void at the server. Whoever has it can change all rights in the account. */
export interface NatsRemover {
  /** Signs for the operator. */
  readonly operator: Nkey;
  /** Public key of the system account. */
  readonly system: string;
  /** Signs for the one user of the system account that may change the account. */
  readonly key: Nkey;
}

export const NATS_ROLES = ["source", "sink", "coordinator"] as const;
export type NatsRole = (typeof NATS_ROLES)[number];

const REMOVER_PARTS = ["operator", "system", "remover"];
const OPTION = "--nats-seeds";

/** The text of the file: a line for each part. */
export function formatNatsSeeds({ account, keys, remover }: NatsSeeds): string {
  const lines = [
    "# Secret. The signing keys of a fanfold coordinator for NATS.",
    `account ${account}`,
    ...NATS_ROLES.map((role) => `${role} ${keys[role].seed}`),
    ...(remover === undefined ? [] : removerLines(remover)),
  ];
  return `${lines.join("\n")}\n`;
}

function removerLines({ operator, system, key }: NatsRemover): readonly string[] {
  return [
    "# By these three the coordinator cuts off a removed member at once. They can change all rights of the account.",
    `operator ${operator.seed}`,
    `system ${system}`,
    `remover ${key.seed}`,
  ];
}

/** @throws FanfoldError `usage`; it holds nothing of the content */
export function readNatsSeeds(path: FilePath): NatsSeeds {
  const lines = readSmallFile(path, { option: OPTION, isSecret: true }).split(/\r?\n/);
  const parts = new Map(
    lines
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => {
        const space = line.indexOf(" ");
        return [line.slice(0, space), line.slice(space + 1)];
      }),
  );
  const key = (name: string, kind: NkeyKind = "account"): Nkey => {
    const found = Nkey.fromSeed(kind, parts.get(name) ?? "");
    if (found === undefined) throw damaged(path, `the seed of the key "${name}"`);
    return found;
  };
  const publicKey = (name: string): string => {
    const found = parts.get(name);
    if (found === undefined || !isNkey("account", found))
      throw damaged(path, `the public key of the account "${name}"`);
    return found;
  };
  const hasRemover = REMOVER_PARTS.some((name) => parts.has(name));
  return {
    account: publicKey("account"),
    keys: { source: key("source"), sink: key("sink"), coordinator: key("coordinator") },
    remover: hasRemover
      ? { operator: key("operator", "operator"), system: publicKey("system"), key: key("remover") }
      : undefined,
  };
}

function damaged(path: FilePath, wanted: string) {
  return fileFault(path, OPTION, `found something else, want ${wanted}, as "fanfold nats-setup" writes it`);
}
