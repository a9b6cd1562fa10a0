use super::*;

fn var(name: &str) -> Term {
    Term::var(name)
}

#[test]
fn what_is_constant_is_worked_out() {
    let set = |numbers: &[i128]| Term::Set(numbers.iter().copied().collect());
    assert_eq!(Term::and([Term::TRUE, var("a")]), var("a"));
    assert_eq!(Term::and([var("a"), Term::not(var("a"))]), Term::FALSE);
    assert_eq!(Term::or([Term::FALSE, var("a"), Term::TRUE]), Term::TRUE);
    assert_eq!(Term::not(Term::not(var("a"))), var("a"));
    assert_eq!(Term::less(Term::Int(1), Term::Int(2)), Term::TRUE);
    assert_eq!(Term::member(Term::Int(3), set(&[1, 2])), Term::FALSE);
    assert_eq!(Term::subset(set(&[1]), set(&[1, 2])), Term::TRUE);
    assert_eq!(Term::subset(Term::empty(), var("s")), Term::TRUE);
    assert_eq!(Term::meets(Term::empty(), var("s")), Term::FALSE);
    assert_eq!(Term::union([set(&[1]), Term::empty(), set(&[2])]), set(&[1, 2]));
    assert_eq!(Term::choose(var("a"), Term::TRUE, Term::FALSE).to_string(), "a");
    assert_eq!(Term::equal(Term::Int(1), Term::Int(2)), Term::FALSE);
}

#[test]
fn a_formula_is_written_as_the_solver_reads_it() {
    let formula = Term::and([
        Term::less(Term::Int(-5), var("n")),
        Term::subset(var("s"), Term::Set([1, 2].into())),
    ]);
    assert_eq!(
        formula.to_string(),
        "(and (< (- 5) n) (set.subset s (set.union (set.union (as set.empty (Set Int)) \
         (set.singleton 1)) (set.singleton 2))))"
    );
}
