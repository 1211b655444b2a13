import { SearchAnswer, SearchQuery, type StoreInfo, StoreList } from "../../common/contracts/http.ts";
import type { Finder } from "../../common/transcript/find.ts";
import { operation, type Resource } from "../route.ts";
import type { ProfileNaming } from "./profiles.ts";

export interface SearchRoutesDeps {
  readonly finder: Finder;
  readonly stores: () => Promise<readonly StoreInfo[]>;
  readonly profiles: Pick<ProfileNaming, "asNamed">;
}

/** Finding messages, and the state of the files they are in. */
export const searchRoutes = ({ finder, stores, profiles }: SearchRoutesDeps): readonly Resource[] => [
  {
    path: "/api/search",
    tag: "Search",
    access: "protected",
    methods: {
      get: operation({
        summary: "Search titles and messages",
        description:
          "On the first page titles that hold the text as it was typed come first. Then messages, newest first: all words must be there, the " +
          'last one may be unfinished; "quotes" make a phrase.',
        query: SearchQuery,
        answers: { 200: { description: "A page of hits", schema: SearchAnswer } },
        handle: async ({ query, res }) => void res.json(await finder.search(await profiles.asNamed(query))),
      }),
    },
  },
  {
    path: "/api/stores",
    tag: "Search",
    access: "protected",
    methods: {
      get: operation({
        summary: "The state.db of each profile, as it was last seen",
        answers: { 200: { description: "One entry per profile", schema: StoreList } },
        handle: async ({ res }) => void res.json({ data: await stores(), next_cursor: null }),
      }),
    },
  },
];
