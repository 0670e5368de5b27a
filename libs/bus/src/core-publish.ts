import {
  ClosedConnectionError,
  DrainingConnectionError,
  type NatsConnection,
  type Payload,
  type PublishOptions,
} from "@nats-io/transport-node";

/**
 * Publishes without an answer. After the connection was closed the message is lost, as it is while disconnected:
 * whoever sends a last word during a shutdown need not know which of the two it is.
 */
export function publishCore(nc: NatsConnection, subject: string, payload?: Payload, options?: PublishOptions): void {
  try {
    nc.publish(subject, payload, options);
  } catch (error) {
    if (!(error instanceof ClosedConnectionError || error instanceof DrainingConnectionError)) throw error;
  }
}
