/** Who wants to be told. */
export interface Listeners<Event> {
  /** Returns how to unsubscribe. */
  subscribe(listener: (event: Event) => void): () => void;
  /** A listener that throws does not keep the others from hearing; what it threw goes to `onError`. */
  tell(event: Event, onError: (error: unknown) => void): void;
}

export function createListeners<Event>(): Listeners<Event> {
  const subscriptions = new Set<{ readonly listener: (event: Event) => void }>();
  return {
    subscribe(listener) {
      const subscription = { listener };
      subscriptions.add(subscription);
      return () => {
        subscriptions.delete(subscription);
      };
    },

    tell(event, onError) {
      for (const { listener } of Array.from(subscriptions)) {
        try {
          listener(event);
        } catch (error) {
          onError(error);
        }
      }
    },
  };
}
