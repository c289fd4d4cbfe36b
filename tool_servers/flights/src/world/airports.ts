/** The cities and airports of the timetable, from the tables in data/. */

import { readFileSync } from "node:fs";

/** A city; several airports may serve it. */
export interface City {
  readonly name: string;
  /** Other names and codes, in any language. */
  readonly aliases: readonly string[];
  /** The Chinese names, the usual one first. */
  readonly chinese: readonly string[];
  readonly country: string;
  /** All names of the country, that one first. */
  readonly countries: readonly string[];
  readonly timeZone: string;
}

/** An airport of a city. */
export interface Airport {
  /** The IATA code. */
  readonly code: string;
  readonly name: string;
  readonly aliases: readonly string[];
  readonly city: City;
  readonly latitude: number;
  readonly longitude: number;
  /** 1 to 3: how much is flown. */
  readonly size: number;
}

// Seen from build/src/world/, where this runs: the tables are not copied into build/.
const DATA = new URL("../../../data/", import.meta.url);

/** Reads the tables; throws where a row is broken. */
export function loadAirports(): Airport[] {
  const cities = new Map(table("cities.csv", 6).map((row) => [cell(row, 0), city(row)]));
  return table("airports.csv", 7).map((row) => airport(row, cities));
}

function table(file: string, columns: number): string[][] {
  const lines = readFileSync(new URL(file, DATA), "utf8").trim().split("\n").slice(1);
  return lines.map((line, index) => {
    const row = line.split(",");
    if (row.length !== columns) {
      throw new Error(`${file}:${index + 2}: has ${row.length} columns in place of ${columns}`);
    }
    return row;
  });
}

function city(row: string[]): City {
  return {
    name: cell(row, 0),
    aliases: list(row, 1),
    chinese: list(row, 2),
    country: list(row, 3)[0] ?? "",
    countries: [...list(row, 3), ...list(row, 4)],
    timeZone: cell(row, 5),
  };
}

function airport(row: string[], cities: Map<string, City>): Airport {
  const served = cities.get(cell(row, 3));
  if (served === undefined) {
    throw new Error(`airports.csv: ${cell(row, 0)} is in "${cell(row, 3)}", which cities.csv does not have`);
  }
  return {
    code: cell(row, 0),
    name: cell(row, 1),
    aliases: list(row, 2),
    city: served,
    latitude: Number(cell(row, 4)),
    longitude: Number(cell(row, 5)),
    size: Number(cell(row, 6)),
  };
}

function cell(row: string[], index: number): string {
  return row[index] ?? "";
}

function list(row: string[], index: number): string[] {
  return cell(row, index)
    .split("|")
    .filter((each) => each !== "");
}
