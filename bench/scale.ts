const scale = Number(process.env.WARDROOM_BENCH_SCALE ?? 1)

/** A count of a measurement, smaller when WARDROOM_BENCH_SCALE (0 to 1) says so: for a try whose figures mean little. */
export const scaled = (count: number, least = 2): number => Math.max(least, Math.round(count * scale))
