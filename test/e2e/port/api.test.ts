import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { SessionSummary } from "../../../src/protocol/messages/progress.ts";
import { readReceipt } from "../../../src/protocol/messages/receipt.ts";
import { EventStream } from "../../helpers/event-stream.ts";
import { OpenApi } from "../../helpers/openapi.ts";
import { CliLab } from "../../helpers/processes/cli.ts";
import { makeManyFiles } from "../../helpers/trees/tree.ts";
import { copyAndCompare, E2E_MS } from "../copying.ts";

interface Told {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: the tests look at what came.
  readonly body: any;
}

/** `api`: by which each answer is checked, its status and its type too. */
function asker(address: string, api?: OpenApi): (path: string) => Promise<Told> {
  return async (path) => {
    const response = await fetch(`http://${address}${path}`);
    const [type, body]: [string, Told["body"]] = [response.headers.get("content-type") ?? "", await response.json()];
    api?.expectAnswer({ method: "GET", path, status: response.status, type, body });
    return { status: response.status, body };
  };
}

describe("the API of a coordinator that real sessions went through", { timeout: E2E_MS }, () => {
  test("tells of sessions, sinks and events as its own document says", async () => {
    await using lab = await CliLab.open("open");
    const from = lab.path("source");
    makeManyFiles(from, 20);
    const { address } = await lab.coordinator();
    const api = new OpenApi((await asker(address)("/api/v1/openapi.json")).body);
    const ask = asker(address, api);
    const port = Number(address.replace(/^.*:/, ""));
    using stream = await EventStream.open(port);
    const start = await stream.next();
    api.expectValid("StreamEvent", start.event);

    const summaries: SessionSummary[] = [];
    for (const session of ["one", "two", "one"])
      summaries.push(
        await copyAndCompare(lab, { address, from, to: [lab.path(session, "a"), lab.path(session, "b")], session }),
      );
    const told = [];
    for (let ends = 0; ends < 3; ) {
      const { event } = await stream.next();
      told.push(event);
      if (event.type === "finished") ends += 1;
    }
    for (const event of told) api.expectValid("StreamEvent", event);
    expect(told.filter(({ type }) => type === "registered")).toHaveLength(9);
    expect(told.some((event) => event.type === "session" && event.view.state === "running")).toBe(true);
    expect(told.flatMap((event) => (event.type === "finished" ? [event.summary.digest] : []))).toEqual(
      summaries.map(({ digest }) => digest),
    );

    const history = await ask("/api/v1/history");
    api.expectValid("History", history.body);
    expect(history.body.sessions).toMatchObject(
      ["one", "two", "one"].map((session, index) => {
        const { digest, files, bytes } = summaries[2 - index] ?? {};
        return { session, state: "ended", sinks: 2, digest, files, bytes };
      }),
    );
    expect(history.body.next).toBeUndefined();
    const part = await ask("/api/v1/history?limit=2");
    expect(part.body.sessions).toEqual(history.body.sessions.slice(0, 2));
    const rest = await ask(`/api/v1/history?limit=2&before=${part.body.next}`);
    expect(rest.body).toEqual({ sessions: history.body.sessions.slice(2) });
    const ofOne = await ask("/api/v1/history?session=two");
    expect(ofOne.body.sessions).toEqual([history.body.sessions[1]]);

    const [{ sessionId }] = history.body.sessions;
    const detail = await ask(`/api/v1/sessions/${sessionId}`);
    api.expectValid("SessionDetail", detail.body);
    expect(detail.body).toMatchObject({ ...history.body.sessions[0], summary: { result: "unchanged" } });
    api.expectValid("SessionRates", (await ask(`/api/v1/sessions/${sessionId}/rates`)).body);
    const sinks = detail.body.members.filter(({ role }: { role: string }) => role === "sink");
    for (const { receipt, key, name } of sinks) expect(readReceipt(receipt)).toMatchObject({ sink: key, name });
    expect(JSON.stringify(detail.body)).not.toContain("ticket");

    const fleet = await ask("/api/v1/sinks");
    api.expectValid("Fleet", fleet.body);
    expect(fleet.body.sinks).toHaveLength(4);
    const [first] = sinks;
    const { ended } = history.body.sessions[0];
    expect(fleet.body.sinks.find(({ key }: { key: string }) => key === first.key)).toMatchObject({
      name: first.name,
      lastProof: { session: "one", sessionId, at: ended, digest: summaries[2]?.digest },
    });

    const waiting = lab.sink(address, lab.path("waits"), ["--session", "three"]);
    await waiting.event("waiting");
    const running = await ask("/api/v1/sessions");
    api.expectValid("SessionList", running.body);
    const [view] = running.body.sessions;
    const machine = {
      software: expect.stringMatching(/^fanfold \d+\.\d+\.\d+/),
      freeBytes: expect.any(Number),
      sizeBytes: expect.any(Number),
    };
    expect(view).toMatchObject({ session: "three", state: "waiting", sinks: [machine] });
    const known = (await ask("/api/v1/sinks")).body.sinks;
    expect(known).toHaveLength(5);
    for (const sink of known) expect(sink).toMatchObject(machine);
    const here = known.filter(({ connected }: { connected: boolean }) => connected);
    expect(here).toMatchObject([{ name: view.sinks[0].name, said: expect.any(String) }]);
    const now = await ask(`/api/v1/sessions/${view.sessionId}`);
    api.expectValid("SessionDetail", now.body);
    expect(now.body).toMatchObject({ state: "waiting", view: { session: "three" } });

    const unknown = await ask("/api/v1/sessions/aaaaaaaaaaaa");
    expect(unknown.status).toBe(404);
    api.expectValid("Problem", unknown.body);
    for (const query of ["limit=0", "limit=201", "limit=x", "before=aaaaaaaaaaaa", "before=%27", "order=1"]) {
      const { status, body } = await ask(`/api/v1/history?${query}`);
      expect([status, body.code], query).toEqual([400, "usage"]);
      api.expectValid("Problem", body);
    }
  });

  test("the document names no schema that it does not have, and every path that there is", async () => {
    await using lab = await CliLab.open("open");
    const { address } = await lab.coordinator();
    const ask = asker(address);
    const api = new OpenApi((await ask("/api/v1/openapi.json")).body);
    const { openapi, paths, components } = api.document as Record<string, Record<string, Record<string, object>>>;
    expect(openapi).toBe("3.2.0");
    const known = Object.keys(components?.["schemas"] ?? {}).map((name) => `#/components/schemas/${name}`);
    expect(known).toEqual(expect.arrayContaining([...new Set(api.references())]));
    for (const [path, methods] of Object.entries(paths ?? {})) {
      const url = `http://${address}${path.replace(/\{\w+\}/g, "x")}`;
      const method = ["PUT", "PATCH", "DELETE"].find((each) => !(each.toLowerCase() in methods)) ?? "HEAD";
      const response = await fetch(url, { method });
      expect(response.status, path).toBe(405);
      const allowed = (response.headers.get("allow") ?? "").toLowerCase().split(", ");
      expect(allowed.sort(), path).toEqual(Object.keys(methods).sort());
      await response.body?.cancel();
    }
  });

  test("lets an admin cancel a session and drop a sink, and nobody else", async () => {
    await using lab = await CliLab.open("open");
    const from = lab.path("source");
    makeManyFiles(from, 5);
    const stateDir = lab.path("state");
    const { address } = await lab.coordinator({ args: ["--state-dir", stateDir] });
    const { token } = JSON.parse(readFileSync(`${stateDir}/local.json`, "utf8")) as { token: string };
    const order = async (path: string, authorization?: string): Promise<number> => {
      const headers = authorization === undefined ? {} : { authorization };
      const response = await fetch(`http://${address}/api/v1/sessions/${path}`, { method: "DELETE", headers });
      await response.body?.cancel();
      return response.status;
    };
    const [first, second] = ["one", "two"].map((name) => lab.sink(address, lab.path(name), ["--name", `sink ${name}`]));
    await Promise.all([first?.event("waiting"), second?.event("waiting")]);
    const source = lab.source(address, from, ["--dest-count", "3"]);
    await source.event("waiting", { where: ({ sinks }) => sinks.length === 2 });
    const [view] = (await asker(address)("/api/v1/sessions")).body.sessions;
    const sink = `${view.sessionId}/sinks/sink%20one`;
    expect([await order(sink), await order(view.sessionId)]).toEqual([401, 401]);

    expect(await order(sink, `Bearer ${token}`)).toBe(200);
    expect([await first?.exit(), (await first?.failure())?.message]).toEqual([
      5,
      expect.stringContaining("dropped by"),
    ]);
    expect(await order(sink, `Bearer ${token}`)).toBe(404);
    expect(await order(`${view.sessionId}/sinks/%E0`, `Bearer ${token}`)).toBe(404);

    expect(await order(view.sessionId, `Bearer ${token}`)).toBe(200);
    expect([await source.exit(), await second?.exit()]).toEqual([15, 15]);
    expect((await source.failure()).message).toContain("cancelled by who runs the coordinator");
    expect(await order(view.sessionId, `Bearer ${token}`)).toBe(404);
  });

  test("/readyz says what /healthz says", async () => {
    await using lab = await CliLab.open("open");
    const { address } = await lab.coordinator();
    const ask = asker(address);
    expect(await ask("/readyz")).toEqual(await ask("/healthz"));
    const broken = await lab.coordinator({ broker: "nats://127.0.0.1:1" });
    expect(await asker(broken.address)("/readyz")).toMatchObject({ status: 503, body: { status: "unavailable" } });
  });
});
