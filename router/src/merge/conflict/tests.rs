//! Pairs of sentences as institutions write them: which conflict, which repeat, and which only sound alike.

use super::*;

/// Near enough to say the same.
const NEAR: f32 = 0.93;

fn relation(one: &str, other: &str, cosine: f32) -> Relation {
    super::relation(&Facts::of(one), &Facts::of(other), cosine)
}

#[track_caller]
fn relates(one: &str, other: &str, expected: Relation) {
    assert_eq!(relation(one, other, NEAR), expected, "{one:?} after {other:?}");
}

#[track_caller]
fn conflict(one: &str, other: &str, difference: Difference) {
    relates(one, other, Relation::Conflict(difference));
    relates(other, one, Relation::Conflict(difference));
}

/// Neither way round they conflict or are the same.
#[track_caller]
fn apart(one: &str, other: &str) {
    relates(one, other, Relation::Apart);
    relates(other, one, Relation::Apart);
}

#[track_caller]
fn same(one: &str, other: &str) {
    relates(one, other, Relation::Same);
    relates(other, one, Relation::Same);
}

#[test]
fn amounts_of_the_same_conflict() {
    let numbers = |one, other| conflict(one, other, Difference::Numbers);
    numbers("Give 15 mg/kg of paracetamol.", "Paracetamol is given at 10 mg/kg.");
    numbers("The dose is 5 mg per kilogram.", "The dose is 7.5 mg/kg.");
    numbers("Paracetamol may be given every six hours.", "Paracetamol may be given every 4 hours.");
    numbers("Mars has two moons.", "Mars has three moons.");
    numbers("About 90 % of the children are cured.", "70 percent of the children are cured.");
    numbers("The deposit is at most three months of rent.", "The deposit is at most two months of rent.");
    numbers("The notice period is 3 months.", "The notice period is six weeks and 2 months.");
    numbers("The tenant owes 1,000 euros.", "The tenant owes 100 euros.");
    numbers("The fee is $25.", "The fee is $40.");
    numbers("Treatment takes two to three years.", "Treatment takes five to six years.");
    numbers("Fever is a temperature of 38 °C.", "Fever is a temperature of 38.5 °C.");
    numbers("The tumour is smaller than 5 cm.", "The tumour is smaller than 12 mm.");
    numbers("At least 10 days of leave are due.", "At least 20 days of leave are due.");
    numbers("Rinse the wound twice a day.", "Rinse the wound five times a day.");
    numbers("The limit is 50 mg/l of nitrate.", "The limit is 25 mg/l of nitrate.");
}

#[test]
fn the_same_number_of_another_unit_conflicts() {
    let units = |one, other| conflict(one, other, Difference::Units);
    units("Take 5 mg of zinc.", "Take 5 g of zinc.");
    units("Take 5 ml of the syrup.", "Take 5 mg of the syrup.");
    units("The dose is 2 mg/kg.", "The dose is 2 mg/m2.");
    units("Keep it for 6 weeks.", "Keep it for 6 months.");
    units("Methotrexate is taken at 10 mg a day.", "Methotrexate is taken at 10 mg a week.");
    units("Methotrexate: 10 mg weekly.", "Methotrexate: 10 mg daily.");
    units("The fine is 500 euros.", "The fine is 500 dollars.");
    units("Water freezes at 32 degrees Celsius.", "Water freezes at 32 degrees Fahrenheit.");
}

#[test]
fn dates_of_the_same_conflict() {
    let dates = |one, other| conflict(one, other, Difference::Dates);
    dates("The law has been in force since 2015.", "The law has been in force since 2017.");
    dates("The vaccine was approved in May 2006.", "The vaccine was approved in June 2006.");
    dates("The deadline is 31 March.", "The deadline is 30 March.");
    dates("The contract ends on 2025-06-30.", "The contract ends on 2025-07-31.");
    dates("The rule took effect on 01.02.2020.", "The rule took effect on 01.02.2021.");
    dates("Hives are checked in April.", "Hives are checked in September.");
}

#[test]
fn one_that_denies_what_the_other_says_conflicts() {
    let negation = |one, other| conflict(one, other, Difference::Negation);
    negation("Paracetamol should be given to infants.", "Paracetamol should not be given to infants.");
    negation("The landlord may enter the flat.", "The landlord may never enter the flat.");
    negation("A vaccine against it exists.", "No vaccine against it exists.");
    negation("Honey is safe for infants.", "Honey isn't safe for infants.");
    negation("The tenant can terminate the contract.", "The tenant cannot terminate the contract.");
    negation("Surgery is possible without radiation.", "Surgery is possible with radiation.");
    // Only where little else differs.
    apart("It attacks cancer cells with less harm.", "It attacks and marks specific cells without harm.");
    assert_eq!(relation("Honey is safe for infants.", "Honey isn't safe for infants.", 0.8), Relation::Apart);
}

#[test]
fn what_is_the_same_in_other_words_is_no_conflict() {
    same("It costs 1,000 euros.", "It costs 1000 €.");
    same("Take 1 g of it.", "Take 1,000 mg of it.");
    same("Wait for two weeks.", "Wait for 14 days.");
    same("The child is 24 months old.", "The child is two years old.");
    same("Take 15 mg/kg every six hours.", "Take 15 mg per kg every 6 hours.");
    same("Around 70 % survive.", "About 72 percent survive.");
    same("Fever is 38 °C.", "Fever is 100.4 °F.");
    same("It takes up to 10 days.", "It takes 5 to 10 days.");
    same("Give 5 mg daily.", "Give 5 mg every day.");
    same("Not only infants need it.", "Infants need it.");
    same("Do not hesitate to call a doctor.", "Call a doctor, do not hesitate.");
}

#[test]
fn what_is_about_another_thing_is_neither_same_nor_conflict() {
    apart("Phobos is 22 km wide.", "Deimos is 12 km wide.");
    apart("Children take 5 mg of zinc.", "Adults take 10 mg of zinc.");
    apart("In stage 1 about 90 % survive.", "In stage 4 about 20 % survive.");
    apart("Type 1 diabetes begins at 12 years.", "Type 2 diabetes begins at 45 years.");
    apart("The first dose is 5 mg.", "The second dose is 10 mg.");
    apart("Paracetamol is given every 6 hours.", "Ibuprofen is given every 8 hours.");
    apart("COVID-19 lasts for 10 days.", "COVID-20 lasts for 20 days.");
    apart("Phobos is a moon of Mars.", "Deimos is a moon of Mars.");
    apart("Low doses are 5 mg.", "High doses are 50 mg.");
    apart("Section 5 sets a limit of 10 days.", "Section 6 sets a limit of 20 days.");
    apart("The oral dose is 10 mg.", "The intravenous dose is 5 mg.");
    apart("In stage IIA 80 % survive.", "In stage IIIB 40 % survive.");
    apart("Childhood leukaemia takes two years to treat.", "Adult leukaemia takes three years to treat.");
    apart("Women need 10 mg of iron.", "Men need 8 mg of iron.");
}

#[test]
fn what_says_more_is_not_the_same_and_no_conflict() {
    let more = |one: &str, other: &str| {
        relates(one, other, Relation::Apart);
        relates(other, one, Relation::Same);
    };
    more("Paracetamol is given at 15 mg/kg.", "Paracetamol is given.");
    more("Mars has two moons, found in 1877.", "Mars has two moons.");
    more("Wash for 20 seconds and dry for 30 seconds.", "Wash for 20 seconds.");
    more("Take 5 mg of it, at most 4 times a day.", "Take 5 mg of it.");
    apart("Staging finds out how far the cancer spread.", "Staging decides about surgery and radiation.");
    // Different things are counted.
    apart("Mars has two moons.", "Mars has three volcanoes.");
    apart("Mars has two moons.", "Mars has two volcanoes.");
    apart("The course has 5 days.", "The course costs 80 euros.");
}

#[test]
fn what_is_not_so_near_may_conflict_and_is_not_the_same() {
    assert_eq!(relation("Take 5 mg of zinc.", "Take 5 mg of zinc.", 0.8), Relation::Apart);
    let differ = relation("Take 5 mg of zinc.", "Take 7 mg of zinc.", 0.8);
    assert_eq!(differ, Relation::Conflict(Difference::Numbers));
}

#[test]
fn a_table_is_not_compared() {
    apart(&"5 mg ".repeat(17), &"7 mg ".repeat(17));
    conflict(&"5 mg ".repeat(16), &"7 mg ".repeat(16), Difference::Numbers);
}

proptest::proptest! {
    #[test]
    fn any_two_texts_can_be_compared(one in "(\\PC|[0-9.,/%-]| mg| in |May|stage ){0,40}", other in "\\PC{0,40}") {
        // Whatever stands there, it does not contradict itself.
        proptest::prop_assert!(!matches!(relation(&one, &one, 1.0), Relation::Conflict(_)));
        let _ = relation(&one, &other, 1.0);
    }
}
