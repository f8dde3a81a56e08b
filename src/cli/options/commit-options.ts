import { type Command, Option } from "commander";
import { FanfoldError } from "../../lib/errors.ts";
import { SINKS_PER_SESSION_MAX } from "../../protocol/limits.ts";
import { COMMIT_ELSE, type CommitElse } from "../../protocol/messages/commit.ts";
import type { CommitOptions } from "../../source/commit.ts";
import { parseDuration } from "./parse-duration.ts";

/** As commander reads them. */
export interface GivenCommit {
  readonly commit?: number | "all";
  /** Milliseconds. */
  readonly commitTimeout?: number;
  readonly commitElse?: CommitElse;
}

/** Options of a source whose sinks switch to their new snapshots together. */
export function addCommit(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--commit <count>",
        "sinks with --snapshots switch to the new state together, once this many have a whole copy, or not at all: a number, or all",
      ).argParser(parseCommit),
    )
    .addOption(
      new Option(
        "--commit-timeout <duration>",
        "with --commit: how long those that have a whole copy wait for the others",
      ).argParser((value) => parseDuration(value, "--commit-timeout")),
    )
    .addOption(
      new Option(
        "--commit-else <what>",
        "with --commit: drop what is proven when too few have it, or keep it beside the newest snapshot (default: drop)",
      ).choices(COMMIT_ELSE),
    );
}

/** @throws FanfoldError `usage` */
export function readCommit({ commit, commitTimeout, commitElse }: GivenCommit): { commit?: CommitOptions } {
  if (commit === undefined) {
    if (commitTimeout === undefined && commitElse === undefined) return {};
    const option = commitTimeout === undefined ? "--commit-else" : "--commit-timeout";
    throw new FanfoldError("usage", `cannot read ${option}: found no --commit, which it belongs to; add one`);
  }
  return {
    commit: {
      needed: commit,
      ...(commitElse === undefined ? {} : { otherwise: commitElse }),
      ...(commitTimeout === undefined ? {} : { timeoutMs: commitTimeout }),
    },
  };
}

function parseCommit(value: string): number | "all" {
  if (value === "all") return value;
  const count = Number(value);
  if (/^\d+$/.test(value) && count >= 1 && count <= SINKS_PER_SESSION_MAX) return count;
  throw new FanfoldError("usage", `cannot read --commit "${value}": want 1 to ${SINKS_PER_SESSION_MAX}, or all`);
}
