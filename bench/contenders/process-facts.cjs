// Loaded into a process that is measured, ahead of its program: when it ends, it leaves what only it knows exactly.
"use strict";

const { subscribe } = require("node:diagnostics_channel");
const { readFileSync, writeFileSync } = require("node:fs");
const { isMainThread } = require("node:worker_threads");

if (isMainThread) {
  const sockets = new Set();
  let sentBytes = 0;
  const end = (socket) => {
    if (sockets.delete(socket)) sentBytes += socket.bytesWritten;
  };
  subscribe("net.client.socket", ({ socket }) => {
    sockets.add(socket);
    socket.on("close", () => end(socket));
  });
  process.on("exit", () => {
    for (const socket of sockets) end(socket);
    const { user, system } = process.cpuUsage();
    const peakKib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"));
    const facts = { sentBytes, cpuMs: (user + system) / 1000, peakBytes: Number(peakKib?.[1] ?? 0) * 1024 };
    writeFileSync(process.env.FANFOLD_BENCH_FACTS, JSON.stringify(facts));
  });
}
