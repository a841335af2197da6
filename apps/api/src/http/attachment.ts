/** Headers of bytes that a user stored: to be saved under their name, never run or shown as a page of this origin. */
export const attachment = (name: string): Record<string, string> => ({
  'Content-Disposition': `attachment; filename="${asciiName(name)}"; filename*=UTF-8''${encodedName(name)}`,
  'X-Content-Type-Options': 'nosniff',
});

const asciiName = (name: string): string => name.replace(/[^\w. ()-]/g, '_');

/** RFC 8187: `encodeURIComponent` leaves a few marks that the header's grammar does not know. */
const encodedName = (name: string): string =>
  encodeURIComponent(name).replace(/['()*!]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
