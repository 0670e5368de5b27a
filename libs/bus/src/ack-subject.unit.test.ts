import { expect, test } from "vitest";
import { parseAckSubject } from "./ack-subject.ts";

const expected = { consumer: "normal-fast", deliveryCount: 2, sequence: 117, pending: 5 };

test.each([
  "$JS.ACK.WORK.normal-fast.2.117.31.1700000000000000000.5",
  "$JS.ACK.hub.ACCHASH.WORK.normal-fast.2.117.31.1700000000000000000.5.token",
  "$JS.ACK._.ACCHASH.WORK.normal-fast.2.117.31.1700000000000000000.5",
])("reads %s", (subject) => {
  expect(parseAckSubject(subject)).toEqual(expected);
});

test.each(["", "_INBOX.abc.1", "$JS.ACK.WORK.normal-fast.2"])("refuses '%s'", (subject) => {
  expect(parseAckSubject(subject)).toBeNull();
});
