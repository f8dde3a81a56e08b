import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../lib/clock.ts";
import { FanfoldError } from "../../lib/errors.ts";
import type { FilePath } from "../../lib/folder/file-path.ts";
import { packageVersion } from "../../lib/package-version.ts";
import type { Random } from "../../lib/random.ts";
import type { CoordinatorEvent } from "../../protocol/messages/coordinator-events.ts";
import type { SessionSummary } from "../../protocol/messages/progress.ts";
import { together } from "../history/together.ts";
import { WantedStore } from "../history/wanted-store.ts";
import { Courier } from "./courier.ts";
import { type NotedEnd, type NoticeEvent, noticeText } from "./notice.ts";
import { NoticeOutbox, type NoticeWay, type OutboxEntry } from "./notice-outbox.ts";
import { checkWants, type Want, wantedChange, watch } from "./wanted.ts";
import { parseWebhookSecret } from "./webhook-signature.ts";

export interface NoticeOptions {
  /** Told of the end of each session, and of one that is missed: `http://` or `https://`. */
  readonly webhook?: string;
  /** Signs what it is told, as Standard Webhooks says: `whsec_` and base64. */
  readonly webhookSecret?: string;
  /** A program that is run for each of them. */
  readonly onEnd?: FilePath;
  /** What it finds around it. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Names that must have a whole copy within a time. */
  readonly wants?: readonly Want[];
}

interface NoticeGround {
  readonly database: DatabaseSync;
  readonly emit: (event: CoordinatorEvent) => void;
  readonly clock: Clock;
  readonly random: Random;
}

type Deliver = (entry: OutboxEntry, signal: AbortSignal) => Promise<string>;

/** How often it is looked whether a copy is missed. */
const LOOK_EVERY_MS = 30_000;
const ID_CHARS = 20;

/** @throws FanfoldError `usage` */
export async function checkNotices({ webhook, webhookSecret, onEnd, wants = [] }: NoticeOptions): Promise<void> {
  if (onEnd !== undefined) (await import("../../lib/programs/run-program.ts")).programPath(onEnd);
  if (webhook !== undefined) (await import("./webhook.ts")).parseWebhookUrl(webhook);
  if (webhookSecret !== undefined) parseWebhookSecret(webhookSecret);
  if (webhookSecret !== undefined && webhook === undefined)
    throw new FanfoldError("usage", "cannot use --webhook-secret-file alone: want --webhook with it");
  checkWants(wants);
}

/** Tells others of the end of each session, and of names that have no whole copy in time. */
export class Notices implements AsyncDisposable {
  readonly #options: NoticeOptions;
  readonly #ground: NoticeGround;
  readonly #outbox: NoticeOutbox;
  readonly #wanted: WantedStore;
  readonly #couriers = new Map<NoticeWay, Courier>();
  #looking: Disposable | undefined;
  /** Patterns of which was told that more names match them than are watched. */
  #full: ReadonlySet<string> = new Set();

  constructor(options: NoticeOptions, ground: NoticeGround) {
    this.#options = options;
    this.#ground = ground;
    this.#outbox = new NoticeOutbox(ground.database);
    this.#wanted = new WantedStore(ground.database);
  }

  /** Begins to tell. */
  open(): void {
    const { emit, clock, random } = this.#ground;
    const now = clock.date();
    for (const [way, deliver] of this.#ways()) {
      const outbox = this.#outbox;
      if (deliver === undefined) {
        const count = outbox.clear(way);
        if (count > 0) this.#warn(`${count} notices for the ${way} are dropped: this coordinator has none`);
      } else {
        outbox.wake(way, now);
        this.#couriers.set(way, new Courier({ way, outbox, deliver, emit, clock, random }));
      }
    }
    this.look();
    this.#looking = clock.every(LOOK_EVERY_MS, () => this.look());
  }

  /** Inside of the transaction in which the end of a session is written down: neither is there without the other. */
  ended({ summary, ...end }: NotedEnd): void {
    this.#put({ type: "ended", ...end }, summary);
  }

  /** Something may be due. */
  look(): void {
    try {
      this.#watch();
    } catch (thrown) {
      this.#warn(`cannot look for missed copies: ${FanfoldError.from(thrown).message}`);
    }
    for (const courier of this.#couriers.values()) courier.wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#looking?.[Symbol.dispose]();
    await Promise.all([...this.#couriers.values()].map((courier) => courier[Symbol.asyncDispose]()));
  }

  #watch(): void {
    const { wants = [] } = this.#options;
    const { database, clock, emit } = this.#ground;
    const now = clock.date();
    this.#tellOf(watch(this.#wanted, wants, now));
    for (const wanted of this.#wanted.list()) {
      const change = wantedChange(wanted, now);
      if (change === undefined) continue;
      together(database, () => {
        this.#wanted.mark(wanted.session, change.type === "missed" ? now : undefined);
        this.#put(change);
      });
      emit(change);
    }
  }

  /** No alarm goes without a word. */
  #tellOf({ full, dropped }: ReturnType<typeof watch>): void {
    for (const pattern of full)
      if (!this.#full.has(pattern))
        this.#warn(`more names than can be watched match ${pattern}: some are not; name the others by a --want each`);
    this.#full = new Set(full);
    for (const name of dropped)
      this.#warn(
        `${name} is not watched any more: its history is gone, or too many match; --want ${name}=TIME watches it`,
      );
  }

  #put(event: NoticeEvent, summary?: SessionSummary): void {
    const { clock, random } = this.#ground;
    const due = clock.date();
    const body = noticeText(event, due, summary);
    for (const [way, deliver] of this.#ways()) {
      if (deliver === undefined) continue;
      const lost = this.#outbox.add(way, { id: `msg_${random.id(ID_CHARS)}`, body, due });
      if (lost > 0) this.#warn(`too much waits to be told by ${way}: ${lost} of the oldest notices are dropped`);
    }
  }

  #ways(): readonly (readonly [NoticeWay, Deliver | undefined])[] {
    const { webhook, webhookSecret, onEnd: program, environment = {} } = this.#options;
    const { clock } = this.#ground;
    const secret = webhookSecret === undefined ? undefined : parseWebhookSecret(webhookSecret);
    const software = `fanfold ${packageVersion()}`;
    // Most coordinators tell nobody.
    const post = async (entry: OutboxEntry, signal: AbortSignal): Promise<string> => {
      const { parseWebhookUrl, postNotice } = await import("./webhook.ts");
      await postNotice(entry, { url: parseWebhookUrl(webhook ?? ""), secret, software, clock }, signal);
      return "";
    };
    const run = async (entry: OutboxEntry, signal: AbortSignal): Promise<string> => {
      const { runForNotice } = await import("./command.ts");
      const { programPath } = await import("../../lib/programs/run-program.ts");
      return await runForNotice(entry, { program: programPath(program ?? ""), environment, clock }, signal);
    };
    return [
      ["webhook", webhook === undefined ? undefined : post],
      ["command", program === undefined ? undefined : run],
    ];
  }

  #warn(message: string): void {
    this.#ground.emit({ type: "warning", code: "notice-failed", message });
  }
}
