import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { CALLS_MAX } from "../../../src/coordinator/access/callers.ts";
import { readOperatorPass } from "../../../src/coordinator/access/local-operator.ts";
import { problemAnswer } from "../../../src/coordinator/access/problem.ts";
import { openCoordinator } from "../../../src/coordinator/coordinator.ts";
import type { Coordinator } from "../../../src/coordinator/open-coordinator.ts";
import { type ErrorCode, FanfoldError } from "../../../src/lib/errors.ts";
import { stateFolder } from "../coordinator-fixture.ts";

/** All that an answer may hold; the tests look at what came. */
interface Body {
  readonly id: string;
  readonly token: string;
  readonly addresses: readonly string[];
  readonly tokens: readonly { readonly id: string; readonly role: string; readonly expires?: string }[];
  readonly code?: string;
}

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Body;
}

interface Question {
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A coordinator that only this machine reaches, and how its operator asks it. */
class Office {
  readonly stateDir: string;
  readonly coordinator: Coordinator;

  constructor(stateDir: string, coordinator: Coordinator) {
    this.stateDir = stateDir;
    this.coordinator = coordinator;
  }

  get admin(): string {
    return readOperatorPass(this.stateDir).token;
  }

  async ask(method: string, path: string, { token, body, headers = {} }: Question = {}): Promise<Reply> {
    const sent = request({
      host: "127.0.0.1",
      port: this.coordinator.port,
      method,
      path,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
    });
    sent.end(body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body));
    const [response] = await once(sent, "response");
    const text = String(await response.setEncoding("utf8").reduce((all: string, piece: string) => all + piece, ""));
    return { status: response.statusCode, headers: response.headers, body: JSON.parse(text) };
  }

  /** The text of a token that was made now. */
  async token(order: object): Promise<string> {
    const { status, body } = await this.ask("POST", "/api/v1/tokens", { token: this.admin, body: order });
    expect(status).toBe(201);
    return body.token;
  }
}

async function officeOf(): Promise<Office> {
  const stateDir = await stateFolder();
  const coordinator = await openCoordinator({ port: 0, stateDir, signal: new AbortController().signal });
  onTestFinished(() => coordinator.close());
  return new Office(stateDir, coordinator);
}

describe("the API", () => {
  test.each<ErrorCode>([
    "token-missing",
    "token-damaged",
    "token-unknown",
    "token-revoked",
    "token-expired",
    "token-used-up",
    "token-role",
  ])("tells %s as a fault of who asks", (code) => {
    const { status } = problemAnswer(new FanfoldError(code, "cannot grant the request"));
    expect([401, 403]).toContain(status);
  });

  test("makes, lists, shows and revokes tokens for an admin", async () => {
    const office = await officeOf();
    const token = office.admin;
    const order = { role: "sink", session: "night-*", ttlMs: 60_000, uses: 2, note: "attic" };
    const made = await office.ask("POST", "/api/v1/tokens", { token, body: order });
    const { id } = made.body;
    expect([made.status, made.headers["location"], made.headers["cache-control"]]).toEqual([
      201,
      `/api/v1/tokens/${id}`,
      "no-store",
    ]);
    const view = { id, role: "sink", session: "night-*", state: "good", usesLeft: 2, note: "attic", first: false };
    const list = await office.ask("GET", "/api/v1/tokens", { token });
    expect(list.body.tokens).toEqual([{ ...view, created: expect.any(String), expires: expect.any(String) }]);
    expect(JSON.stringify(list.body)).not.toContain(made.body.token.slice(-20));
    const shown = await office.ask("GET", `/api/v1/tokens/${id}`, { token });
    expect(shown.body).toEqual(made.body);
    expect(made.body.addresses).toEqual([`http://localhost:${office.coordinator.port}`]);
    expect((await office.ask("DELETE", `/api/v1/tokens/${id}`, { token })).body).toMatchObject({
      id,
      state: "revoked",
    });
    expect((await office.ask("GET", "/api/v1/tokens", { token })).body.tokens).toMatchObject([
      { id, state: "revoked" },
    ]);
  });

  test("answers so many requests of one token at a time, and others go on", async () => {
    const office = await officeOf();
    const [token, other] = [await office.token({ role: "observer" }), await office.token({ role: "observer" })];
    for (let number = 0; number < CALLS_MAX; number += 1) {
      const headers = { authorization: `Bearer ${token}` };
      const asked = request({ host: "127.0.0.1", port: office.coordinator.port, path: "/api/v1/events", headers });
      asked.on("error", () => undefined);
      onTestFinished(() => void asked.destroy());
      const [response] = await once(asked.end(), "response");
      response.resume().on("error", () => undefined);
    }
    const more = await office.ask("GET", "/api/v1/tokens", { token });
    expect([more.status, more.body.code]).toEqual([429, "too-many"]);
    expect((await office.ask("GET", "/api/v1/tokens", { token: other })).status).toBe(200);
  });

  test("lets an observer read and an admin change, and nobody else do either", async () => {
    const office = await officeOf();
    const [observer, admin, sink] = [
      await office.token({ role: "observer" }),
      await office.token({ role: "admin" }),
      await office.token({ role: "sink" }),
    ];
    const id = (await office.ask("GET", "/api/v1/tokens", { token: admin })).body.tokens[0]?.id ?? "";
    const reads = ["GET /api/v1/tokens", "GET /api/v1/members", "GET /api/v1/sessions"];
    const changes = [`GET /api/v1/tokens/${id}`, "POST /api/v1/tokens", `DELETE /api/v1/tokens/${id}`];
    const codes = async (lines: readonly string[], token?: string): Promise<unknown[]> => {
      const replies = lines.map(async (line) => {
        const [method = "", path = ""] = line.split(" ");
        const { status, body } = await office.ask(method, path, token === undefined ? {} : { token });
        return body.code ?? status;
      });
      return await Promise.all(replies);
    };
    expect(await codes(reads, observer)).toEqual([200, 200, 200]);
    expect(await codes(changes, observer)).toEqual(["token-role", "token-role", "token-role"]);
    expect(await codes([...reads.slice(0, 2), ...changes], sink)).toEqual(Array(5).fill("token-role"));
    expect(await codes([...reads.slice(0, 2), ...changes])).toEqual(Array(5).fill("token-missing"));
    // A good token is no try to break in, however often it is the wrong one.
    expect(await codes(Array<string>(25).fill("GET /api/v1/tokens"), sink)).toEqual(Array(25).fill("token-role"));
    // Who may take part may look.
    expect(await codes(["GET /api/v1/sessions"])).toEqual([200]);
    expect(await codes(reads, admin)).toEqual([200, 200, 200]);
    expect(await codes(changes, admin)).toEqual([200, "usage", 200]);
  });

  test("takes no token that is revoked, and asks for one in the words of HTTP", async () => {
    const office = await officeOf();
    const admin = await office.token({ role: "admin" });
    const id = (await office.ask("GET", "/api/v1/tokens", { token: admin })).body.tokens[0]?.id ?? "";
    await office.ask("DELETE", `/api/v1/tokens/${id}`, { token: admin });
    const reply = await office.ask("GET", "/api/v1/tokens", { token: admin });
    expect([reply.status, reply.headers["www-authenticate"], reply.headers["content-type"]]).toEqual([
      401,
      "Bearer",
      "application/problem+json; charset=utf-8",
    ]);
    expect(reply.body).toMatchObject({
      type: "about:blank",
      title: "Unauthorized",
      status: 401,
      code: "token-revoked",
    });
  });

  test("says what is wrong with a request, and does nothing", async () => {
    const office = await officeOf();
    const token = office.admin;
    const post = async (body: unknown, headers = {}) => {
      const reply = await office.ask("POST", "/api/v1/tokens", { token, body, headers });
      return [reply.status, reply.body.code];
    };
    expect(await post("{")).toEqual([400, "usage"]);
    expect(await post({ role: "king" })).toEqual([400, "usage"]);
    expect(await post({ role: "sink", session: "a b" })).toEqual([400, "usage"]);
    expect(await post({ role: "sink", secret: "x" })).toEqual([400, "usage"]);
    expect(await post({ role: "sink", note: "a\nb" })).toEqual([400, "usage"]);
    expect(await post({ role: "sink", note: "ff1_sink_a" })).toEqual([400, "usage"]);
    expect(await post({ role: "admin", uses: 1 })).toEqual([400, "usage"]);
    expect(await post({ role: "sink" }, { "content-type": "text/plain" })).toEqual([400, "usage"]);
    expect(await post({ role: "sink", note: "x".repeat(20_000) })).toEqual([413, "payload-too-large"]);
    expect((await office.ask("GET", "/api/v1/tokens", { token })).body.tokens).toEqual([]);
    expect((await office.ask("GET", "/api/v1/tokens/nobody00", { token })).status).toBe(404);
    expect((await office.ask("DELETE", "/api/v1/members/ab", { token })).body).toMatchObject({
      status: 404,
      code: "member-unknown",
    });
    expect((await office.ask("GET", "/api/v1/nothing", { token })).status).toBe(404);
    const put = await office.ask("PUT", "/api/v1/tokens", { token });
    expect([put.status, put.headers["allow"]]).toEqual([405, "GET, POST"]);
  });

  test("is not for pages of other sites, and for programs under any name", async () => {
    const office = await officeOf();
    const token = office.admin;
    const headers = { host: "backup.example.com" };
    expect((await office.ask("GET", "/api/v1/tokens", { token, headers })).status).toBe(200);
    const sessions = request({
      host: "127.0.0.1",
      port: office.coordinator.port,
      path: "/api/v1/sessions",
      headers,
    }).end();
    const [response] = await once(sessions, "response");
    expect(response.resume().statusCode).toBe(403);
    // A page whose name leads here can add any header to what it asks of itself.
    const guess = await office.ask("GET", "/api/v1/sessions", { token: "guess", headers });
    expect(guess.body).toMatchObject({ code: "token-damaged" });
    const page = { ...headers, origin: "http://backup.example.com" };
    await expect(office.ask("GET", "/api/v1/tokens", { token, headers: page })).rejects.toThrow("JSON");
  });
});

describe("a browser that has shown a token", () => {
  test("has a cookie that no script reads, and may do by it what the token may", async () => {
    const office = await officeOf();
    const login = await office.ask("POST", "/api/v1/login", { token: await office.token({ role: "admin" }) });
    const [cookie = ""] = login.headers["set-cookie"] as readonly string[];
    const { port } = office.coordinator;
    expect(cookie).toMatch(
      new RegExp(`^fanfold-${port}=[0-9a-f]{32}; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200$`),
    );
    const headers = { cookie: `other=1; ${cookie.split(";")[0]}` };
    expect((await office.ask("GET", "/api/v1/tokens", { headers })).status).toBe(200);
    // Only the coordinator's own page may make it change something.
    const body = { role: "sink" };
    expect((await office.ask("POST", "/api/v1/tokens", { body, headers })).body).toMatchObject({ code: "refused" });
    const origin = `http://127.0.0.1:${port}`;
    expect((await office.ask("POST", "/api/v1/tokens", { body, headers: { ...headers, origin } })).status).toBe(201);
    await office.ask("DELETE", "/api/v1/login", { headers });
    expect((await office.ask("GET", "/api/v1/tokens", { headers })).body).toMatchObject({ code: "token-missing" });
  });

  test("loses its rights with the token", async () => {
    const office = await officeOf();
    const token = await office.token({ role: "observer" });
    const login = await office.ask("POST", "/api/v1/login", { token });
    const headers = { cookie: String(login.headers["set-cookie"]) };
    expect((await office.ask("GET", "/api/v1/login", { headers })).body).toEqual({
      access: "open",
      role: "observer",
      expires: expect.stringMatching(/^20.*Z$/),
    });
    const [{ id = "" } = {}] = (await office.ask("GET", "/api/v1/tokens", { headers })).body.tokens;
    await office.ask("DELETE", `/api/v1/tokens/${id}`, { token: office.admin });
    expect((await office.ask("GET", "/api/v1/tokens", { headers })).body).toMatchObject({ code: "token-revoked" });
    expect((await office.ask("GET", "/api/v1/login", { headers })).body).toEqual({ access: "open" });
    const sink = await office.token({ role: "sink" });
    expect((await office.ask("POST", "/api/v1/login", { token: sink })).body).toMatchObject({ code: "token-role" });
  });
});

test("a token tells what it is for and until when, also that of a member, and lets nobody in by that", async () => {
  const office = await officeOf();
  const sink = await office.token({ role: "sink", ttlMs: 3_600_000, uses: 1 });
  const listed = async () => (await office.ask("GET", "/api/v1/tokens", { token: office.admin })).body.tokens;
  const before = await listed();
  const { expires } = before.find(({ role }) => role === "sink") ?? {};
  expect((await office.ask("GET", "/api/v1/login", { token: sink })).body).toEqual({
    access: "open",
    role: "sink",
    expires,
  });
  expect(await listed()).toEqual(before);
  expect(expires).toMatch(/^20.*Z$/);
  const source = await office.token({ role: "source", ttlMs: null });
  expect((await office.ask("GET", "/api/v1/login", { token: source })).body).toEqual({
    access: "open",
    role: "source",
  });
  expect((await office.ask("GET", "/api/v1/tokens", { token: source })).body).toMatchObject({ code: "token-role" });
  expect((await office.ask("GET", "/api/v1/login", { token: "guess" })).body).toMatchObject({ code: "token-damaged" });
});

test("the pass of the operator is for the owner alone, and is gone with its coordinator", async () => {
  const office = await officeOf();
  const { token } = readOperatorPass(office.stateDir);
  expect((await office.ask("GET", "/api/v1/tokens", { token })).status).toBe(200);
  await office.coordinator.close();
  expect(() => readOperatorPass(office.stateDir)).toThrow("local.json");
  expect((await readFile(join(office.stateDir, "coordinator.db"))).includes(token.slice(-30))).toBe(false);
});
