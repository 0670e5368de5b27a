import { expect, test } from "vitest";
import { mongodbArguments } from "./mongodb.ts";
import { natsConfiguration } from "./nats.ts";
import { seaweedfsArguments, versitygwArguments } from "./s3.ts";

const GIBIBYTE = 1024 ** 3;
const nats = { port: 4222, monitorPort: 8222, storeDir: "/data/nats", syncInterval: "1s", jobsMaxBytes: GIBIBYTE };

test("NATS listens on the loopback address and keeps its streams in the data folder", () => {
  const text = natsConfiguration(nats);
  expect(text).toContain('listen: "127.0.0.1:4222"');
  expect(text).toContain('http: "127.0.0.1:8222"');
  expect(text).toContain('store_dir: "/data/nats"');
  expect(text).toContain('sync_interval: "1s"');
});

test("NATS may store more than the jobs reserve", () => {
  expect(natsConfiguration(nats)).toContain(`max_file_store: ${4 * GIBIBYTE}`);
  expect(natsConfiguration({ ...nats, jobsMaxBytes: 10 * GIBIBYTE })).toContain(`max_file_store: ${30 * GIBIBYTE}`);
});

test("SecantusDB syncs each commit only for data that is kept", () => {
  expect(mongodbArguments("secantusd-rs", 27017, "/data/db", true)).toContain("--sync-on-commit");
  expect(mongodbArguments("secantusd-py", 27017, "/data/db", false)).not.toContain("--sync-on-commit");
});

test("mongod gets its own flags", () => {
  expect(mongodbArguments("mongod", 27017, "/data/db", true).join(" ")).toMatch(
    /^--bind_ip 127\.0\.0\.1 --port 27017 --dbpath \/data\/db /,
  );
});

test("SeaweedFS gets a port for each of its parts and stays on the loopback address", () => {
  const ports = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  const args = seaweedfsArguments("/data/s3", 9000, ports);
  expect(args).toContain("-s3.port=9000");
  expect(args).toContain("-ip.bind=127.0.0.1");
  expect(args).toContain("-master.telemetry=false");
  expect(args.filter((arg) => /port(\.grpc)?=\d$/.test(arg) && !arg.endsWith("=0"))).toHaveLength(ports.length);
  expect(args.join(" ")).not.toContain("undefined");
});

test("the S3 gateway listens on the loopback address only", () => {
  expect(versitygwArguments("/data/s3", 9000)).toEqual(
    expect.arrayContaining(["--port", "127.0.0.1:9000", "posix", "--sidecar", "/data/s3/metadata", "/data/s3/objects"]),
  );
});
