/** One request, ready to be sent. */
export interface ApiRequest {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON; undefined: none. */
  readonly body: string | undefined;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
}

/** How requests get to an API: over a socket, over the network, in a browser by `fetch`. */
export interface Transport {
  /** Where the API is, for messages. */
  readonly place: string;
  /** Any answer is one, whatever its status. Errors: `daemon_unreachable`, `not_permitted`. */
  exchange(request: ApiRequest): Promise<ApiAnswer>;
}
