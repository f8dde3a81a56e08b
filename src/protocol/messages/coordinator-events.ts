import type { SessionSummary } from "./progress.ts";
import type { SessionView } from "./session-view.ts";
import type { VerifyReport } from "./verification.ts";

/** Who may come in: `open`, everybody on this machine; `guarded`, who has a token, over TLS; `insecure-open`, everybody. */
export type AccessMode = "open" | "guarded" | "insecure-open";

/** What happens at a coordinator, in order: who comes and goes, and how each session ends. `type` says which. */
export type CoordinatorEvent =
  /** It can be reached. */
  | {
      readonly type: "listening";
      /** What to type at `--coordinator`, the most useful first. */
      readonly addresses: readonly string[];
      /** `embedded`, or the address of the broker without a password. */
      readonly broker: string;
      /** Only this machine reaches it. */
      readonly loopbackOnly: boolean;
      /** Who may come in. */
      readonly access: AccessMode;
    }
  /** The broker is looked for, there, or lost. */
  | {
      readonly type: "broker";
      /** What became of it. */
      readonly status: "connecting" | "connected" | "unreachable" | "lost";
      /** Its address without a password. */
      readonly broker: string;
      /** Why it is not there. */
      readonly reason?: string;
    }
  /** Something happened to the data connection. */
  | {
      readonly type: "transport";
      /** As in the event of the same name of a source. */
      readonly status: string;
      /** What is known beyond that. */
      readonly detail?: string;
    }
  /** Something that a person should know. */
  | {
      readonly type: "warning";
      /** A word for programs. */
      readonly code: string;
      /** A sentence for people. */
      readonly message: string;
      /** What a command of the coordinator printed that failed. */
      readonly output?: string;
    }
  /** The files of TLS were read again; new connections see what is in them. */
  | { readonly type: "reloaded" }
  /** A member came. */
  | {
      readonly type: "registered";
      /** Name of the session. */
      readonly session: string;
      /** What it is there. */
      readonly role: "source" | "sink";
      /** As people know it. */
      readonly name: string;
      /** Where it is. */
      readonly address: string;
    }
  /** A member went. */
  | {
      readonly type: "left";
      /** Name of the session. */
      readonly session: string;
      /** What it is there. */
      readonly role: "source" | "sink";
      /** As people know it. */
      readonly name: string;
      /** A word for programs. */
      readonly code: string;
      /** A sentence for people. */
      readonly reason: string;
    }
  /** Anything of a session changed: the whole view of it, at most ten times a second for each. */
  | {
      readonly type: "session";
      /** As it is now. */
      readonly view: SessionView;
    }
  /** A session came to its end. */
  | {
      readonly type: "finished";
      /** Its name. */
      readonly session: string;
      /** Given by the coordinator; no two sessions have the same. */
      readonly sessionId: string;
      /** What was copied, and how it ended for each. */
      readonly summary: SessionSummary;
    }
  /** A session is over, however it ended. */
  | {
      readonly type: "ended";
      /** Its name. */
      readonly session: string;
      /** Given by the coordinator; no two sessions have the same. */
      readonly sessionId: string;
      /** That of its summary, or `cancelled`, or `interrupted`. */
      readonly result: string;
      /** Why, where its source did not finish it. */
      readonly reason?: string;
    }
  /** A sink has read its copy again, or did not go on with it: it was asked to, or does so by itself. */
  | {
      readonly type: "verified";
      /** Name of the session. */
      readonly session: string;
      /** Of the sink. */
      readonly name: string;
      /** What came of it. */
      readonly report: VerifyReport;
    }
  /** A name that is watched (`--want`) has no whole copy in time. It is told once. */
  | {
      readonly type: "missed";
      /** The name. */
      readonly session: string;
      /** How old its latest whole copy may be, in milliseconds. */
      readonly withinMs: number;
      /** Since when it is watched. */
      readonly since: string;
      /** When its latest whole copy ended; absent when it has none. */
      readonly lastProven?: string;
    }
  /** It has one again. */
  | {
      readonly type: "recovered";
      /** The name. */
      readonly session: string;
      /** How old its latest whole copy may be, in milliseconds. */
      readonly withinMs: number;
      /** Since when it had none. */
      readonly missed: string;
      /** When its latest whole copy ended; absent when it has none. */
      readonly lastProven?: string;
    }
  /** Somebody was told of one of these three. */
  | {
      readonly type: "told";
      /** By what. */
      readonly via: "webhook" | "command";
      /** Of what was told; no two have the same. */
      readonly id: string;
      /** Of which event. */
      readonly about: "ended" | "missed" | "recovered";
      /** Name of the session. */
      readonly session: string;
      /** What the command printed. */
      readonly output?: string;
    };
