/** A telephone number as logs and staff see it: its last two digits only. */
export const maskPhone = (e164: string): string => `…${last2(e164)}`

export const last2 = (e164: string): string => e164.replace(/\D/g, '').slice(-2)
