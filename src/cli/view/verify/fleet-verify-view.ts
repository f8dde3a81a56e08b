import type { FleetVerifyEvent, VerificationSink } from "../../../protocol/messages/fleet-verify-events.ts";
import type { VerifyProgress } from "../../../protocol/messages/verification.ts";
import { readingText } from "../../../words/verify-words.ts";
import { tableRowsMax } from "../sink-lines.ts";
import { fitEnd } from "../text/fit.ts";
import type { Style } from "../text/style.ts";
import { info, type Message, type View, warning } from "../view.ts";
import { reportMessages } from "./report-lines.ts";

interface FleetVerifyState {
  /** Those that are waited for, by name. */
  readonly reading: ReadonlyMap<string, VerifyProgress | undefined>;
}

/** How `fanfold verify --fleet` looks. */
export const fleetVerifyView: View<FleetVerifyEvent, FleetVerifyState> = {
  initial: { reading: new Map() },
  next(state, event) {
    switch (event.type) {
      case "asked":
        return { reading: new Map(event.sinks.map((name) => [name, undefined])) };
      case "sinkread":
        return { reading: new Map([...state.reading, [event.name, event.read]]) };
      case "answered":
        return { reading: new Map([...state.reading].filter(([name]) => name !== event.sink.name)) };
      case "finished":
        return { reading: new Map() };
      default:
        return event satisfies never;
    }
  },
  messages: (event, _state, style) => fleetMessages(event, style),
  screen({ reading }, { columns, rows }) {
    const lines = [...reading].map((each) => fitEnd(lineOf(each), columns));
    if (lines.length === 0) return { kind: "none" };
    const rowsMax = tableRowsMax(rows);
    const rest = lines.length - rowsMax;
    return { kind: "lines", lines: rest > 0 ? [...lines.slice(0, rowsMax - 1), `+${rest + 1} more`] : lines };
  },
  status: ({ reading }) => (reading.size === 0 ? "asking the sinks" : [...reading].map(lineOf).join("; ")),
  progressLines: ({ reading }) =>
    new Map(
      [...reading].flatMap(([name, progress]) => (progress === undefined ? [] : [[name, lineOf([name, progress])]])),
    ),
};

function lineOf([name, progress]: readonly [string, VerifyProgress | undefined]): string {
  return `${name}: ${progress === undefined ? "asked" : readingText(progress)}`;
}

function fleetMessages(event: FleetVerifyEvent, style: Style): readonly Message[] {
  switch (event.type) {
    case "asked": {
      const { session, trees, sinks } = event;
      const what = trees === "all" ? "all snapshots are" : "the newest copy is";
      const text = sinks.length === 0 ? "no sink is here" : `${what} read again at ${sinks.join(", ")}`;
      return [info(`session ${session}: ${text}`)];
    }
    case "answered":
      return answerMessages(event.sink, style);
    case "finished":
      return repairMessages(event);
    case "sinkread":
      return [];
    default:
      return event satisfies never;
  }
}

function repairMessages(event: Extract<FleetVerifyEvent, { type: "finished" }>): readonly Message[] {
  const { repair, repairFailure } = event;
  if (repair === undefined) return [];
  if (repair === "failed") {
    const why = repairFailure === undefined ? "" : `: ${repairFailure.message}`;
    return [warning(`the next run cannot be ordered${why}; nothing is mended yet, and what is damaged is remembered`)];
  }
  if (repair === "begun")
    return [info("the next run begins now: it brings what is damaged; fanfold sessions shows it")];
  const todo = "start fanfold source on its machine; what is damaged is remembered until then";
  return [warning(`no source waits for its next run (--every, --at), so nothing is mended yet: ${todo}`)];
}

const WITHOUT_ANSWER: Readonly<Record<VerificationSink["state"], string>> = {
  asked: "did not answer",
  reading: "did not answer",
  done: "did not answer",
  away: "not there",
  gone: "went away before it had read all: what it finds later is in fanfold fleet",
  silent: "does not answer, or gets no further, though it is connected",
};

function answerMessages({ name, state, report }: VerificationSink, style: Style): readonly Message[] {
  if (report === undefined) return [warning(`${name}: ${WITHOUT_ANSWER[state]}`)];
  return reportMessages(report, { who: `${name}: `, did: "", style });
}
