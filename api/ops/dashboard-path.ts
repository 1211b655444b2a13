/** Where the dashboard is. By itself, so that the app knows it without loading bull-board. */
export const DASHBOARD_PATH = "/ops/queues";
