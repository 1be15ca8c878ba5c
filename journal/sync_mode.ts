/**
 * When changes reach the disk.
 *
 * - `"always"`: the reply to a change leaves after its commit has reached the disk;
 * - `"interval"`: at least once a second;
 * - `"off"`: when the system likes.
 *
 * @module
 */

export type SyncMode = "always" | "interval" | "off";
