//! Prints a syntax tree.
//!
//! Rules:
//! 1. A line is `field: Kind attributes @start..end`; fields that are absent or empty have no line.
//! 2. The order of fields is that of the source where they have one.

use crate::ast::*;
use std::fmt::Write;

pub fn print(root: &Root) -> String {
    let mut p = Printer {
        out: String::new(),
        depth: 0,
    };
    match root {
        Root::Module(body) => p.nest("Module", |p| p.stmts("body", body)),
        Root::Interactive(body) => p.nest("Interactive", |p| p.stmts("body", body)),
        Root::Expression(e) => p.nest("Expression", |p| p.expr("body", e)),
    }
    p.out
}

struct Printer {
    out: String,
    depth: usize,
}

impl Printer {
    fn line(&mut self, text: &str) {
        for _ in 0..self.depth {
            self.out.push_str("  ");
        }
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn nest(&mut self, text: &str, inner: impl FnOnce(&mut Printer)) {
        self.line(text);
        self.depth += 1;
        inner(self);
        self.depth -= 1;
    }

    fn node(&mut self, field: &str, what: &str, span: Span, inner: impl FnOnce(&mut Printer)) {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = write!(text, "{field}: {what} @{}..{}", span.start, span.end);
        self.nest(&text, inner);
    }

    fn ident(&mut self, field: &str, id: &Ident) {
        self.node(field, &format!("{:?}", id.name), id.span, |_| {});
    }

    fn opt(&mut self, field: &str, e: Option<&Expr>) {
        if let Some(e) = e {
            self.expr(field, e);
        }
    }

    fn exprs(&mut self, field: &str, list: &[Expr]) {
        for e in list {
            self.expr(field, e);
        }
    }

    fn stmts(&mut self, field: &str, list: &[Stmt]) {
        for s in list {
            self.stmt(field, s);
        }
    }

    fn stmt(&mut self, field: &str, s: &Stmt) {
        let name = match &s.kind {
            StmtKind::FunctionDef(f) if f.is_async => "AsyncFunctionDef",
            StmtKind::FunctionDef(_) => "FunctionDef",
            StmtKind::ClassDef(_) => "ClassDef",
            StmtKind::Return(_) => "Return",
            StmtKind::Delete(_) => "Delete",
            StmtKind::Assign { .. } => "Assign",
            StmtKind::TypeAlias { .. } => "TypeAlias",
            StmtKind::AugAssign { .. } => "AugAssign",
            StmtKind::AnnAssign { simple: true, .. } => "AnnAssign simple",
            StmtKind::AnnAssign { .. } => "AnnAssign",
            StmtKind::For(f) if f.is_async => "AsyncFor",
            StmtKind::For(_) => "For",
            StmtKind::While { .. } => "While",
            StmtKind::If { .. } => "If",
            StmtKind::With { is_async: true, .. } => "AsyncWith",
            StmtKind::With { .. } => "With",
            StmtKind::Match { .. } => "Match",
            StmtKind::Raise { .. } => "Raise",
            StmtKind::Try(t) if t.is_star => "TryStar",
            StmtKind::Try(_) => "Try",
            StmtKind::Assert { .. } => "Assert",
            StmtKind::Import(_) => "Import",
            StmtKind::ImportFrom { .. } => "ImportFrom",
            StmtKind::Global(_) => "Global",
            StmtKind::Nonlocal(_) => "Nonlocal",
            StmtKind::Expr(_) => "Expr",
            StmtKind::Pass => "Pass",
            StmtKind::Break => "Break",
            StmtKind::Continue => "Continue",
        };
        self.node(field, name, s.span, |p| p.stmt_fields(&s.kind));
    }

    fn stmt_fields(&mut self, kind: &StmtKind) {
        match kind {
            StmtKind::FunctionDef(f) => {
                self.exprs("decorator", &f.decorators);
                self.ident("name", &f.name);
                self.type_params(&f.type_params);
                self.arguments(&f.args);
                self.opt("returns", f.returns.as_ref());
                self.stmts("body", &f.body);
            }
            StmtKind::ClassDef(c) => {
                self.exprs("decorator", &c.decorators);
                self.ident("name", &c.name);
                self.type_params(&c.type_params);
                self.exprs("base", &c.bases);
                self.keywords(&c.keywords);
                self.stmts("body", &c.body);
            }
            StmtKind::Return(v) => self.opt("value", v.as_deref()),
            StmtKind::Delete(v) => self.exprs("target", v),
            StmtKind::Assign { targets, value } => {
                self.exprs("target", targets);
                self.expr("value", value);
            }
            StmtKind::TypeAlias {
                name,
                type_params,
                value,
            } => {
                self.expr("name", name);
                self.type_params(type_params);
                self.expr("value", value);
            }
            StmtKind::AugAssign { target, op, value } => {
                self.expr("target", target);
                self.line(&format!("op: {op:?}"));
                self.expr("value", value);
            }
            StmtKind::AnnAssign {
                target,
                annotation,
                value,
                simple: _,
            } => {
                self.expr("target", target);
                self.expr("annotation", annotation);
                self.opt("value", value.as_deref());
            }
            StmtKind::For(f) => {
                self.expr("target", &f.target);
                self.expr("iter", &f.iter);
                self.stmts("body", &f.body);
                self.stmts("orelse", &f.orelse);
            }
            StmtKind::While { test, body, orelse } | StmtKind::If { test, body, orelse } => {
                self.expr("test", test);
                self.stmts("body", body);
                self.stmts("orelse", orelse);
            }
            StmtKind::With {
                items,
                body,
                is_async: _,
            } => {
                for item in items {
                    self.expr("context", &item.context);
                    self.opt("vars", item.vars.as_ref());
                }
                self.stmts("body", body);
            }
            StmtKind::Match { subject, cases } => {
                self.expr("subject", subject);
                for case in cases {
                    self.nest("case:", |p| {
                        p.pattern("pattern", &case.pattern);
                        p.opt("guard", case.guard.as_ref());
                        p.stmts("body", &case.body);
                    });
                }
            }
            StmtKind::Raise { exc, cause } => {
                self.opt("exc", exc.as_deref());
                self.opt("cause", cause.as_deref());
            }
            StmtKind::Try(t) => {
                self.stmts("body", &t.body);
                for h in &t.handlers {
                    self.node("handler", "ExceptHandler", h.span, |p| {
                        p.opt("type", h.typ.as_ref());
                        if let Some(name) = &h.name {
                            p.ident("name", name);
                        }
                        p.stmts("body", &h.body);
                    });
                }
                self.stmts("orelse", &t.orelse);
                self.stmts("finalbody", &t.finalbody);
            }
            StmtKind::Assert { test, msg } => {
                self.expr("test", test);
                self.opt("msg", msg.as_deref());
            }
            StmtKind::Import(names) => self.aliases(names),
            StmtKind::ImportFrom {
                module,
                names,
                level,
            } => {
                if *level > 0 {
                    self.line(&format!("level: {level}"));
                }
                if let Some(module) = module {
                    self.ident("module", module);
                }
                self.aliases(names);
            }
            StmtKind::Global(names) | StmtKind::Nonlocal(names) => {
                for id in names {
                    self.ident("name", id);
                }
            }
            StmtKind::Expr(e) => self.expr("value", e),
            StmtKind::Pass | StmtKind::Break | StmtKind::Continue => {}
        }
    }

    fn aliases(&mut self, list: &[Alias]) {
        for a in list {
            self.node("alias", &format!("{:?}", a.name), a.span, |p| {
                if let Some(id) = &a.asname {
                    p.ident("asname", id);
                }
            });
        }
    }

    fn type_params(&mut self, list: &[TypeParam]) {
        for t in list {
            self.node("type_param", &format!("{:?}", t.kind), t.span, |p| {
                p.ident("name", &t.name);
                p.opt("bound", t.bound.as_ref());
                p.opt("default", t.default.as_ref());
            });
        }
    }

    fn arguments(&mut self, a: &Arguments) {
        for (field, list) in [("posonly", &a.posonly), ("arg", &a.args)] {
            for arg in list {
                self.arg(field, arg);
            }
        }
        if let Some(arg) = &a.vararg {
            self.arg("vararg", arg);
        }
        for arg in &a.kwonly {
            self.arg("kwonly", arg);
        }
        if let Some(arg) = &a.kwarg {
            self.arg("kwarg", arg);
        }
    }

    fn arg(&mut self, field: &str, a: &Arg) {
        self.node(field, &format!("{:?}", a.name), a.span, |p| {
            p.opt("annotation", a.annotation.as_ref());
            p.opt("default", a.default.as_ref());
        });
    }

    fn keywords(&mut self, list: &[Keyword]) {
        for k in list {
            let name = k
                .name
                .as_ref()
                .map_or("**".to_string(), |n| format!("{n:?}"));
            self.node("keyword", &name, k.span, |p| p.expr("value", &k.value));
        }
    }

    fn expr(&mut self, field: &str, e: &Expr) {
        let plain = |name: &str| name.to_string();
        let head = match &e.kind {
            ExprKind::BoolOp { op, .. } => format!("BoolOp {op:?}"),
            ExprKind::NamedExpr { .. } => plain("NamedExpr"),
            ExprKind::BinOp { op, .. } => format!("BinOp {op:?}"),
            ExprKind::UnaryOp { op, .. } => format!("UnaryOp {op:?}"),
            ExprKind::Lambda { .. } => plain("Lambda"),
            ExprKind::IfExp { .. } => plain("IfExp"),
            ExprKind::Dict { .. } => plain("Dict"),
            ExprKind::Set(_) => plain("Set"),
            ExprKind::ListComp { .. } => plain("ListComp"),
            ExprKind::SetComp { .. } => plain("SetComp"),
            ExprKind::DictComp { .. } => plain("DictComp"),
            ExprKind::GeneratorExp { .. } => plain("GeneratorExp"),
            ExprKind::Await(_) => plain("Await"),
            ExprKind::Yield(_) => plain("Yield"),
            ExprKind::YieldFrom(_) => plain("YieldFrom"),
            ExprKind::Compare { ops, .. } => {
                let ops: Vec<String> = ops.iter().map(|op| format!("{op:?}")).collect();
                format!("Compare {}", ops.join(" "))
            }
            ExprKind::Call { .. } => plain("Call"),
            ExprKind::Constant(c) => constant(c),
            ExprKind::JoinedStr(_) => plain("JoinedStr"),
            ExprKind::FormattedValue { conversion, .. } => {
                format!("FormattedValue{}", suffix(*conversion))
            }
            ExprKind::TemplateStr(_) => plain("TemplateStr"),
            ExprKind::Interpolation {
                conversion, text, ..
            } => {
                format!("Interpolation{} {text:?}", suffix(*conversion))
            }
            ExprKind::Attribute { .. } => plain("Attribute"),
            ExprKind::Subscript { .. } => plain("Subscript"),
            ExprKind::Starred(_) => plain("Starred"),
            ExprKind::Name(n) => format!("Name {n:?}"),
            ExprKind::List(_) => plain("List"),
            ExprKind::Tuple(_) => plain("Tuple"),
            ExprKind::Slice { .. } => plain("Slice"),
        };
        self.node(field, &head, e.span, |p| p.expr_fields(&e.kind));
    }

    fn expr_fields(&mut self, kind: &ExprKind) {
        match kind {
            ExprKind::BoolOp { values, .. } => self.exprs("value", values),
            ExprKind::NamedExpr { target, value } => {
                self.expr("target", target);
                self.expr("value", value);
            }
            ExprKind::BinOp { left, right, .. } => {
                self.expr("left", left);
                self.expr("right", right);
            }
            ExprKind::UnaryOp { operand, .. } => self.expr("operand", operand),
            ExprKind::Lambda { args, body } => {
                self.arguments(args);
                self.expr("body", body);
            }
            ExprKind::IfExp { test, body, orelse } => {
                self.expr("body", body);
                self.expr("test", test);
                self.expr("orelse", orelse);
            }
            ExprKind::Dict { keys, values } => {
                for (k, v) in keys.iter().zip(values) {
                    match k {
                        Some(k) => self.expr("key", k),
                        None => self.line("**"),
                    }
                    self.expr("value", v);
                }
            }
            ExprKind::Set(v) | ExprKind::List(v) | ExprKind::Tuple(v) => self.exprs("elt", v),
            ExprKind::JoinedStr(v) | ExprKind::TemplateStr(v) => self.exprs("value", v),
            ExprKind::ListComp { elt, generators }
            | ExprKind::SetComp { elt, generators }
            | ExprKind::GeneratorExp { elt, generators } => {
                self.expr("elt", elt);
                self.generators(generators);
            }
            ExprKind::DictComp {
                key,
                value,
                generators,
            } => {
                self.expr("key", key);
                self.expr("value", value);
                self.generators(generators);
            }
            ExprKind::Await(v) | ExprKind::YieldFrom(v) | ExprKind::Starred(v) => {
                self.expr("value", v)
            }
            ExprKind::Yield(v) => self.opt("value", v.as_deref()),
            ExprKind::Compare {
                left, comparators, ..
            } => {
                self.expr("left", left);
                self.exprs("comparator", comparators);
            }
            ExprKind::Call {
                func,
                args,
                keywords,
            } => {
                self.expr("func", func);
                self.exprs("arg", args);
                self.keywords(keywords);
            }
            ExprKind::FormattedValue {
                value, format_spec, ..
            }
            | ExprKind::Interpolation {
                value, format_spec, ..
            } => {
                self.expr("value", value);
                self.opt("format_spec", format_spec.as_deref());
            }
            ExprKind::Attribute { value, attr } => {
                self.expr("value", value);
                self.ident("attr", attr);
            }
            ExprKind::Subscript { value, index } => {
                self.expr("value", value);
                self.expr("index", index);
            }
            ExprKind::Slice { lower, upper, step } => {
                self.opt("lower", lower.as_deref());
                self.opt("upper", upper.as_deref());
                self.opt("step", step.as_deref());
            }
            ExprKind::Constant(_) | ExprKind::Name(_) => {}
        }
    }

    fn generators(&mut self, list: &[Comprehension]) {
        for g in list {
            self.nest(if g.is_async { "async for:" } else { "for:" }, |p| {
                p.expr("target", &g.target);
                p.expr("iter", &g.iter);
                p.exprs("if", &g.ifs);
            });
        }
    }

    fn pattern(&mut self, field: &str, pat: &Pattern) {
        let head = match &pat.kind {
            PatternKind::Value(_) => "MatchValue".to_string(),
            PatternKind::Singleton(c) => format!("MatchSingleton {}", constant(c)),
            PatternKind::Sequence(_) => "MatchSequence".to_string(),
            PatternKind::Mapping { .. } => "MatchMapping".to_string(),
            PatternKind::Class { .. } => "MatchClass".to_string(),
            PatternKind::Star(_) => "MatchStar".to_string(),
            PatternKind::As { .. } => "MatchAs".to_string(),
            PatternKind::Or(_) => "MatchOr".to_string(),
        };
        self.node(field, &head, pat.span, |p| match &pat.kind {
            PatternKind::Value(e) => p.expr("value", e),
            PatternKind::Singleton(_) => {}
            PatternKind::Sequence(v) | PatternKind::Or(v) => {
                v.iter().for_each(|x| p.pattern("pattern", x))
            }
            PatternKind::Mapping {
                keys,
                patterns,
                rest,
            } => {
                for (k, x) in keys.iter().zip(patterns) {
                    p.expr("key", k);
                    p.pattern("pattern", x);
                }
                if let Some(id) = rest {
                    p.ident("rest", id);
                }
            }
            PatternKind::Class {
                cls,
                patterns,
                kwd_attrs,
                kwd_patterns,
            } => {
                p.expr("cls", cls);
                patterns.iter().for_each(|x| p.pattern("pattern", x));
                for (id, x) in kwd_attrs.iter().zip(kwd_patterns) {
                    p.ident("attr", id);
                    p.pattern("pattern", x);
                }
            }
            PatternKind::Star(name) => {
                if let Some(id) = name {
                    p.ident("name", id);
                }
            }
            PatternKind::As { pattern, name } => {
                if let Some(x) = pattern {
                    p.pattern("pattern", x);
                }
                if let Some(id) = name {
                    p.ident("name", id);
                }
            }
        });
    }
}

fn suffix(conversion: Option<char>) -> String {
    conversion.map_or(String::new(), |c| format!(" !{c}"))
}

fn constant(c: &Constant) -> String {
    match c {
        Constant::None => "None".into(),
        Constant::True => "True".into(),
        Constant::False => "False".into(),
        Constant::Ellipsis => "Ellipsis".into(),
        Constant::Int(v) => format!("Int {v}"),
        Constant::Float(v) => format!("Float {v:?}"),
        Constant::Imaginary(v) => format!("Imaginary {v:?}"),
        Constant::Str(s) => format!("Str {s:?}"),
        Constant::Bytes(b) => format!("Bytes \"{}\"", b.escape_ascii()),
    }
}
