import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { SessionEntry } from "../../protocol/api/answer-schemas.ts";
import type { AccessMode } from "../../protocol/messages/coordinator-events.ts";
import { plural } from "../../words/format.ts";
import { invitations, makeInvitations, NO_INVITATIONS, readInvitations } from "../store/invitations.ts";
import { login, mayChange } from "../store/link.ts";
import { sessionPath } from "../store/place.ts";
import { history } from "../store/records.ts";
import { shownMoment } from "../words/moment.ts";
import { resultWords } from "../words/state-words.ts";
import { Chip } from "./chip.tsx";
import { CommandLine } from "./command-line.tsx";

/** What is shown while nothing waits or runs. Where nobody has begun yet, the commands are what is wanted. */
export function StartGuide() {
  const entries = history.value;
  if (entries === undefined) return null;
  const last = entries.toSorted((one, other) => ((one.ended ?? "") < (other.ended ?? "") ? 1 : -1))[0];
  return (
    <section class="card guide" aria-labelledby="guide">
      <h2 id="guide">Nothing waits or runs</h2>
      {last !== undefined && <LastEnded entry={last} />}
      {last === undefined ? (
        <Commands />
      ) : (
        <details>
          <summary>The commands that begin a copy</summary>
          <Commands />
        </details>
      )}
    </section>
  );
}

function LastEnded({ entry }: { readonly entry: SessionEntry }) {
  const { sessionId, session, directory, source = "its source", sinks, ended } = entry;
  return (
    <p class="last">
      <Chip {...resultWords(entry)} /> <a href={sessionPath(sessionId)}>{session}</a>
      {`, ${directory === undefined ? "" : `${directory} `}from ${source} to ${plural(sinks, "sink")}`}
      {ended !== undefined && `, ended ${shownMoment(ended)}`}
    </p>
  );
}

/** How a session begins: the commands, whole. */
function Commands() {
  const access = login.value?.access ?? "open";
  const isGuarded = access === "guarded";
  const failure = useSignal<string | undefined>(undefined);
  const isAdmin = mayChange();
  const attempt = (work: () => Promise<void>): void => {
    failure.value = undefined;
    work().catch((thrown: unknown) => {
      failure.value = thrown instanceof Error ? thrown.message : String(thrown);
    });
  };
  useEffect(() => {
    if (isGuarded && isAdmin) attempt(readInvitations);
  }, [isGuarded, isAdmin]);
  // Of somebody who may not have them, and logged in at a page that an admin had before, too.
  const lines = isAdmin ? invitations.value : NO_INVITATIONS;
  const isComplete = lines.sink !== undefined && lines.source !== undefined;
  return (
    <div class="steps">
      <p>One folder is copied to many machines at once. Each machine needs fanfold and one command.</p>
      <ol>
        <li>
          <h3>On each machine that is to receive</h3>
          <CommandLine label="the command for a sink" text={lines.sink ?? plainLine("sink", access)} />
        </li>
        <li>
          <h3>On the machine that sends</h3>
          <CommandLine label="the command for the source" text={lines.source ?? plainLine("source", access)} />
        </li>
      </ol>
      <p class="hint">
        Put the folder in the place of DIR. The copy begins when the source and its sinks are there
        {" (--dest-count says how many)."}
      </p>
      {isGuarded && !isAdmin && (
        <p class="hint">
          Each machine needs a token the first time. <code>fanfold token show</code> prints the whole lines, on the
          coordinator's machine. An admin sees them here.
        </p>
      )}
      {isGuarded && isAdmin && isComplete && (
        <p class="hint">The lines hold tokens, which let in whoever has them. Pass them on as you would a password.</p>
      )}
      {isGuarded && isAdmin && !isComplete && (
        <button type="button" onClick={() => attempt(makeInvitations)}>
          Make tokens for a day
        </button>
      )}
      {failure.value !== undefined && (
        <p class="failure" role="alert">
          {failure.value}
        </p>
      )}
    </div>
  );
}

/** The address by which this browser came is one that leads here. */
function plainLine(role: "sink" | "source", access: AccessMode): string {
  const { host } = location;
  const address = access === "insecure-open" ? `http://${host}` : host;
  return `${access === "guarded" ? "FANFOLD_TOKEN=… " : ""}fanfold ${role} --coordinator ${address} DIR`;
}
