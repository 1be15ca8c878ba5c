/** The names of the servers that keep their data, in the tables. */
export const durable = {
  lines: "blink, always",
  arrays: "blink, Redis wire, always",
  redis: "redis, always",
  interval: "blink, interval",
  everysec: "redis, everysec",
} as const;
