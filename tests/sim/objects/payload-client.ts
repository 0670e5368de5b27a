import { decodePayload, encodePayload } from "../../../libs/objects/src/payload-bytes.ts";
import type { Payloads } from "../../../services/processor/src/job/ports.ts";
import type { Process } from "../kernel/process.ts";
import type { World } from "../world.ts";
import { exchange, type StoreCall } from "./object-client.ts";
import { crcOf, type ObjectServer } from "./object-server.ts";

/** The payloads as one process sees them: of the real ones the bytes and their check, on the simulated store. */
export function createPayloadClient(
  process: Process,
  server: ObjectServer,
  world: World,
  onCall: StoreCall = () => {},
): Payloads {
  const prng = world.prng(`payloads of ${process.name}`);
  return {
    async put(owner, value, signal) {
      const { ref, bytes } = encodePayload(owner, process.random.token(), value);
      signal.throwIfAborted();
      onCall("payload put", ref.key);
      const handle = () => server.put(ref.key, bytes, crcOf(bytes));
      await exchange(world, process, prng, { what: "payload put", key: ref.key, signal, handle });
      return ref;
    },
    async get(ref, signal) {
      signal.throwIfAborted();
      onCall("payload get", ref.key);
      const handle = () => server.get(ref.key);
      return decodePayload(
        ref,
        await exchange(world, process, prng, { what: "payload get", key: ref.key, signal, handle }),
      );
    },
  };
}
