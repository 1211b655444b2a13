import { EmptyBody, LoginAnswer, LoginBody } from "../../common/contracts/http.ts";
import type { Auth } from "../middleware/auth.ts";
import { operation, type Resource } from "../route.ts";

export interface LoginRoutesDeps {
  readonly auth: Auth;
  /** Ends the streams of logins that are over. */
  readonly recheckStreams: () => Promise<void>;
}

/** Login by password (native-api "Process"). Login is the one address under /api that needs none. */
export const loginRoutes = ({
  auth,
  recheckStreams,
}: LoginRoutesDeps): { readonly login: Resource; readonly logout: Resource } => ({
  login: {
    path: "/api/login",
    tag: "Login",
    access: "public",
    methods: {
      post: operation({
        summary: "Log in; sets a cookie",
        description:
          "Scripts use `Authorization: Bearer <token>` instead. Without a configured password or token no login is needed.",
        body: LoginBody,
        answers: { 200: { description: "Logged in", schema: LoginAnswer } },
        errors: ["invalid_credentials", "rate_limited"],
        async handle({ body, req, res }) {
          await auth.login(req, res, body.password);
          res.json({ authenticated: true });
        },
      }),
    },
  },
  logout: {
    path: "/api/logout",
    tag: "Login",
    access: "protected",
    methods: {
      post: operation({
        summary: "Log out; open event streams of this login end",
        body: EmptyBody,
        answers: { 204: { description: "Logged out" } },
        async handle({ req, res }) {
          await auth.logout(req, res);
          await recheckStreams();
          res.status(204).end();
        },
      }),
    },
  },
});
