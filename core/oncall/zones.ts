import { runtimeZones } from '../time-zones.ts'

/** The process's one table of time zones: what a zone's year costs is paid once. */
export const worldZones = runtimeZones()
