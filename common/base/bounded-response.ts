/**
 * The answer with a body that ends with an error beyond `maxBytes`. In an endless one, `restartAfter` says how much of a piece belongs to
 * what is over: the count begins anew behind it (-1: all of the piece is more of the same).
 */
export const boundedResponse = (
  response: Response,
  maxBytes: number,
  restartAfter: (piece: Uint8Array) => number = () => -1,
): Response => {
  if (response.body === null) return response;
  let bytes = 0;
  const bounded = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (piece, controller) => {
        const end = restartAfter(piece);
        bytes = end < 0 ? bytes + piece.length : piece.length - end;
        if (bytes > maxBytes) controller.error(new Error("the answer is too large"));
        else controller.enqueue(piece);
      },
    }),
  );
  const { status, statusText, headers } = response;
  return new Response(bounded, { status, statusText, headers });
};
