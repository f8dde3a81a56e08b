import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { parseWebhookUrl, postNotice, type WebhookOptions } from "../../../src/coordinator/notices/webhook.ts";
import { parseWebhookSecret, webhookSignature } from "../../../src/coordinator/notices/webhook-signature.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { freePort } from "../../helpers/free-ports.ts";
import { WebhookReceiver } from "../../helpers/webhook-receiver.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ENTRY = { id: "msg_1", body: '{"type":"ended","session":"photos"}' };
const { signal } = new AbortController();

function optionsFor(url: string, more: Partial<WebhookOptions> = {}): WebhookOptions {
  return { url: new URL(url), secret: undefined, software: "fanfold 1.2.3", clock: systemClock, ...more };
}

describe("webhookSignature()", () => {
  test("is that of the example of Standard Webhooks", () => {
    const signed = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestampSeconds: 1_614_265_330 };
    expect(webhookSignature(parseWebhookSecret(SECRET), { ...signed, body: '{"test": 2432232314}' })).toBe(
      "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    );
  });

  test.each(["", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64 at all ******************", "a".repeat(100)])(
    "has no secret such as %j, and does not show it",
    (text) => {
      expect(() => parseWebhookSecret(text)).toThrow(/cannot read the secret of the webhook: want whsec_/);
    },
  );
});

describe("parseWebhookUrl()", () => {
  test.each(["ftp://host/", "host/path", "http://user:pass@host/", `http://host/${"a".repeat(2048)}`])(
    "refuses %j without showing it",
    (text) => {
      expect(() => parseWebhookUrl(text)).toThrow(/^cannot use the URL of the webhook: want http/);
    },
  );
});

describe("postNotice()", () => {
  test("posts JSON with a signature that its receiver can check", async () => {
    await using receiver = await WebhookReceiver.open();
    await postNotice(ENTRY, optionsFor(receiver.url, { secret: parseWebhookSecret(SECRET) }), signal);
    const [{ headers, body } = { headers: {}, body: "" }] = receiver.received;
    expect(body).toBe(ENTRY.body);
    expect(headers).toMatchObject({ "content-type": "application/json", "user-agent": "fanfold 1.2.3" });
    const { "webhook-id": id, "webhook-timestamp": seconds, "webhook-signature": signature } = headers;
    expect(id).toBe(ENTRY.id);
    expect(Math.abs(Number(seconds) - Date.now() / 1000)).toBeLessThan(300);
    const key = Buffer.from(SECRET.slice("whsec_".length), "base64");
    expect(signature).toBe(`v1,${createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64")}`);
  });

  test("signs nothing without a secret", async () => {
    await using receiver = await WebhookReceiver.open();
    await postNotice(ENTRY, optionsFor(receiver.url), signal);
    expect(receiver.received[0]?.headers).not.toHaveProperty("webhook-signature");
  });

  test.each([500, 404, 410, 302])(
    "fails by the status %i, and says where, but not what is in the URL",
    async (status) => {
      await using receiver = await WebhookReceiver.open({
        answer: (response) => void response.writeHead(status, { location: "http://127.0.0.1:1/" }).end("why"),
      });
      const failed = postNotice(ENTRY, optionsFor(receiver.url), signal);
      await expect(failed).rejects.toMatchObject({
        code: "refused",
        message: expect.stringContaining(`status ${status}`),
      });
      await expect(failed).rejects.toThrow(`127.0.0.1:${receiver.port}`);
      await expect(failed).rejects.not.toThrow("not-for-logs");
      expect(receiver.received).toHaveLength(1);
    },
  );

  test("reads no more of an answer than it wants", async () => {
    let sent = 0;
    await using receiver = await WebhookReceiver.open({
      answer: (response) => {
        response.writeHead(200);
        const more = (): void => {
          sent += 1;
          if (!response.destroyed) response.write(Buffer.alloc(64 * 1024), () => setImmediate(more));
        };
        more();
      },
    });
    await postNotice(ENTRY, optionsFor(receiver.url), signal);
    expect(sent).toBeGreaterThan(0);
  });

  test("does not wait for a receiver that hangs, before its answer or in it", async () => {
    for (const begins of [false, true]) {
      await using receiver = await WebhookReceiver.open({
        answer: (response) => void (begins && response.writeHead(200).write("a")),
      });
      const failed = postNotice(ENTRY, optionsFor(receiver.url, { answerWithinMs: 100 }), signal);
      await expect(failed).rejects.toThrow(/no answer within 0\.1 s/);
    }
  });

  test("says that nobody is there, or that somebody else is", async () => {
    const port = await freePort();
    await expect(postNotice(ENTRY, optionsFor(`http://127.0.0.1:${port}/`), signal)).rejects.toThrow(
      /cannot tell the webhook at .*refused/,
    );
    await using receiver = await WebhookReceiver.open();
    const asTls = `https://127.0.0.1:${receiver.port}/`;
    await expect(postNotice(ENTRY, optionsFor(asTls), signal)).rejects.toMatchObject({ code: "refused" });
  });

  test("ends with its signal", async () => {
    await using receiver = await WebhookReceiver.open({ answer: () => undefined });
    const stop = new AbortController();
    const posted = postNotice(ENTRY, optionsFor(receiver.url), stop.signal);
    await receiver.count(1);
    stop.abort(new Error("stopped"));
    await expect(posted).rejects.toThrow("stopped");
  });
});
