import { configurationPage } from "../src/config/configuration-page.ts";
import { configJsonSchema } from "../src/config/schema.ts";
import { RECIPES } from "./paper-recipes.ts";
import { recipeText } from "./recipe-text.ts";

/** Every file of the repository that is made by `npm run generate -w armseg`: path from the root to content. */
export function generatedFiles(): Map<string, string> {
  return new Map([
    ["schema/armseg.schema.json", `${JSON.stringify(configJsonSchema(), null, 2)}\n`],
    ["docs/configuration.md", configurationPage()],
    ...RECIPES.map((recipe): [string, string] => [`recipes/${recipe.name}.yaml`, recipeText(recipe)]),
  ]);
}
