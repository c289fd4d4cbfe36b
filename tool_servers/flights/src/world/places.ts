/** What people call a place → the airports that serve it. */

import type { Airport, City } from "./airports.js";
import { nearNames } from "./near_names.js";

/** Finds airports by code, and by the names of cities, airports and both together. */
export class Places {
  readonly airports: readonly Airport[];
  readonly #byCode = new Map<string, Airport>();
  readonly #byName = new Map<string, Airport[]>();
  readonly #citiesByCountry = new Map<string, Set<City>>();

  constructor(airports: readonly Airport[]) {
    this.airports = airports;
    for (const airport of airports) {
      this.#byCode.set(airport.code, airport);
      for (const name of cityNames(airport.city)) this.#add(name, airport);
      for (const country of airport.city.countries) {
        const key = normalized(country);
        this.#citiesByCountry.set(key, (this.#citiesByCountry.get(key) ?? new Set()).add(airport.city));
      }
    }
    // After the cities: "Frankfurt" is the city, whatever an airport is called.
    for (const airport of airports) {
      for (const name of airportNames(airport)) {
        if (!this.#byName.has(normalized(name))) this.#add(name, airport);
      }
    }
  }

  /** The airport with an IATA code. */
  airport(code: string): Airport | undefined {
    return this.#byCode.get(code);
  }

  /** The airports of a city, or the one airport that a code or a name means; none where nothing has the name. */
  find(name: string): readonly Airport[] {
    for (const spelling of spellings(name)) {
      const byCode = /^[A-Za-z]{3}$/.test(spelling) && this.#byCode.get(spelling.toUpperCase());
      if (byCode) return [byCode];
      const byName = this.#byName.get(normalized(spelling));
      if (byName !== undefined) return byName;
    }
    return [];
  }

  /** Places to try in place of one that is not known: the large cities of a country, else those of like names. */
  near(name: string): string[] {
    const ofCountry = this.#citiesByCountry.get(normalized(name));
    if (ofCountry !== undefined) return [...ofCountry].slice(0, 5).map((city) => this.describe(city));
    const keys = [...this.#byName.keys(), ...[...this.#byCode.keys()].map(normalized)];
    const found = nearNames(normalized(name), keys, 10).flatMap((key) => this.find(key)[0]?.city ?? []);
    return [...new Set(found)].slice(0, 3).map((city) => this.describe(city));
  }

  /** A city with all that it may be called by: "Shanghai (上海; PVG, SHA)". */
  describe(city: City): string {
    const codes = this.airports.filter((airport) => airport.city === city).map((airport) => airport.code);
    return `${city.name} (${[...city.chinese.slice(0, 1), codes.join(", ")].join("; ")})`;
  }

  #add(name: string, airport: Airport): void {
    const key = normalized(name);
    const airports = this.#byName.get(key) ?? [];
    if (!airports.includes(airport)) this.#byName.set(key, [...airports, airport]);
  }
}

function cityNames(city: City): string[] {
  const names = [city.name, ...city.aliases, ...city.chinese];
  return [
    ...names,
    ...names.flatMap((name) => city.countries.flatMap((c) => [`${name} ${c}`, `${c} ${name}`])),
  ];
}

function airportNames(airport: Airport): string[] {
  const names = [airport.name, ...airport.aliases];
  const cities = [airport.city.name, ...airport.city.chinese];
  return [...names, ...names.flatMap((name) => cities.flatMap((c) => [`${c} ${name}`, `${name} ${c}`]))];
}

/** The name itself, then what is in it: "Shanghai (PVG)" → "PVG"; "PVG - Pudong" → "PVG". */
function* spellings(name: string): Generator<string> {
  yield name.trim();
  const code = /\(\s*([A-Z]{3})\s*\)|^\s*([A-Z]{3})\s*[-–:,/]|[-–:,/]\s*([A-Z]{3})\s*$/.exec(name);
  if (code !== null) yield code[1] ?? code[2] ?? code[3] ?? "";
  yield name.replace(/\(.*?\)|（.*?）/g, " ");
}

/** One spelling for all: no case, accents, punctuation, spaces, nor the words that say what a place is. */
export function normalized(name: string): string {
  const plain = name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/ø/g, "o");
  const letters = plain
    .replace(/\b(international )?airport\b|\bcity of\b/g, " ")
    .replace(/国际机场|國際機場|机场|機場/g, "")
    .replace(/[^\p{L}\p{N}]/gu, "");
  const bare = letters.replace(/(?<=\p{Script=Han}{2})市/gu, "");
  return bare === "" ? plain.replace(/[^\p{L}\p{N}]/gu, "") : bare;
}
