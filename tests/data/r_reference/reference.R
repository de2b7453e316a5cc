# Reference values from R for tests/stats/test_r_reference.py. The tests read reference.csv alone and need no R.
# From the root of the clone: Rscript tests/data/r_reference/reference.R > tests/data/r_reference/reference.csv
suppressMessages({library(ordinal); library(lme4); library(emmeans)})
say <- function(analysis, quantity, value) cat(sprintf("%s,%s,%.10g\n", analysis, quantity, value))
cat("analysis,quantity,value\n")

wide <- read.csv("tests/data/dsg_tifa160/images.csv", stringsAsFactors = FALSE)
first60 <- sort(unique(wide$prompt_id))[1:60]
wide <- wide[wide$prompt_id %in% first60, ]
raters <- paste0("dsg_rater_", 1:5)
long <- do.call(rbind, lapply(raters, function(r) data.frame(
  item = paste(wide$model, wide$prompt_id), prompt = wide$prompt_id, method = wide$model, rater = r, value = wide[[r]])))
long <- long[!is.na(long$value), ]
long$method <- factor(long$method)
long$rater <- factor(long$rater); long$item <- factor(long$item); long$prompt <- factor(long$prompt)
long$answer <- ordered(long$value)
say("data", "ratings", nrow(long))

# All methods in one cumulative link mixed model, by Laplace's approximation.
fit <- clmm(answer ~ method + (1 | item) + (1 | prompt) + (1 | rater) + (1 | rater:method), data = long,
            control = clmm.control(gradTol = 1e-6))
say("clmm", "log_likelihood", as.numeric(logLik(fit)))
for (name in names(coef(fit))) say("clmm", name, coef(fit)[[name]])
for (name in grep("^method", names(coef(fit)), value = TRUE)) say("clmm", paste0("se:", name), sqrt(vcov(fit)[name, name]))
for (name in names(VarCorr(fit))) say("clmm", paste0("sd:", name), attr(VarCorr(fit)[[name]], "stddev"))

# Every pair with Tukey's correction (large samples).
pairs <- as.data.frame(summary(contrast(emmeans(fit, "method"), "pairwise"), adjust = "none", infer = c(TRUE, TRUE)))
for (i in seq_len(nrow(pairs))) {
  say("emmeans", paste0("difference:", pairs$contrast[i]), pairs$estimate[i])
  say("emmeans", paste0("se:", pairs$contrast[i]), pairs$SE[i])
  say("emmeans", paste0("p:", pairs$contrast[i]), pairs$p.value[i])
}
holm <- as.data.frame(summary(contrast(emmeans(fit, "method"), "pairwise"), adjust = "holm"))
for (i in seq_len(nrow(holm))) say("emmeans", paste0("holm:", holm$contrast[i]), holm$p.value[i])
set.seed(1)
simultaneous <- as.data.frame(confint(contrast(emmeans(fit, "method"), "pairwise"), adjust = "mvt"))
for (i in seq_len(nrow(simultaneous))) {
  say("emmeans", paste0("low:", simultaneous$contrast[i]), simultaneous$asymp.LCL[i])
  say("emmeans", paste0("high:", simultaneous$contrast[i]), simultaneous$asymp.UCL[i])
}

# Adjusted means of a linear mixed model, and of fixed effects alone.
linear <- lmer(value ~ method + (1 | prompt) + (1 | rater) + (1 | item), data = long)
for (row in VarCorr(linear) |> as.data.frame() |> split(1:4)) say("lmer", paste0("variance:", row$grp), row$vcov)
m <- as.integer(long$method); r <- as.integer(long$rater); p <- as.integer(long$prompt)
sparse <- long[(m * r + p) %% 5 < 2 | (m == r & p %% 2 == 0), ]
say("sparse", "ratings", nrow(sparse))
additive <- lm(value ~ method + prompt + rater, data = sparse)
means <- as.data.frame(emmeans(additive, "method"))
for (i in seq_len(nrow(means))) {
  say("sparse", paste0("adjusted:", means$method[i]), means$emmean[i])
  say("sparse", paste0("raw:", means$method[i]), mean(sparse$value[sparse$method == means$method[i]]))
}
severity <- as.data.frame(emmeans(additive, "rater"))
for (i in seq_len(nrow(severity))) say("sparse", paste0("rater:", severity$rater[i]), severity$emmean[i])

# Variances of prompt, seed and rater: a complete, balanced design of twelve prompts, four seeds, three raters. REML gives
# the expected mean squares' estimates where none is negative.
n <- expand.grid(prompt = 0:11, seed = 0:3, rater = 0:2)
n[] <- lapply(n, as.integer)
n$score <- ((n$prompt * 37) %% 11) / 2 + ((n$prompt * 5 + n$seed * 13) %% 7) / 2 + ((n$rater * 5) %% 3) / 2 +
  ((n$prompt * n$rater * 11) %% 5) / 3 + ((n$prompt * 3 + n$seed * 7 + n$rater * 5) %% 4) / 4
factors <- c("prompt", "seed", "rater")
n[factors] <- lapply(n[factors], factor)
crossed <- lmer(score ~ 1 + (1 | prompt) + (1 | prompt:seed) + (1 | rater) + (1 | prompt:rater), data = n,
                control = lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10)))
for (row in VarCorr(crossed) |> as.data.frame() |> split(1:5)) say("seeds", paste0("variance:", row$grp), row$vcov)
say("seeds", "se_of_mean", sqrt(vcov(crossed)[1, 1]))

# Two images of each method and prompt: fifteen prompts, three methods, four raters. The random numbers are MINSTD's, so
# that the test draws the same. Effects of prompts, prompts × methods, images, raters and raters × methods, in that order.
state <- 1
uniform <- function(n) sapply(seq_len(n), function(i) { state <<- (16807 * state) %% 2147483647; state / 2147483647 })
invisible(uniform(100))  # The first numbers after a small seed are small.
prompts <- qnorm(uniform(15)); cells <- 1.2 * qnorm(uniform(45)); images <- 0.5 * qnorm(uniform(90))
severity <- 0.7 * qnorm(uniform(4)); tastes <- 0.5 * qnorm(uniform(12))
d <- expand.grid(rater = 0:3, seed = 0:1, method = 0:2, prompt = 0:14)
d$item <- d$prompt * 6 + d$method * 2 + d$seed
latent <- 0.6 * d$method + prompts[d$prompt + 1] + cells[d$prompt * 3 + d$method + 1] + images[d$item + 1] +
  severity[d$rater + 1] + tastes[d$rater * 3 + d$method + 1] + qlogis(uniform(nrow(d)))
d$answer <- ordered(findInterval(latent, c(-2, -0.5, 1, 2.5)))
factors <- c("rater", "method", "prompt", "item")
d[factors] <- lapply(d[factors], factor)
several <- clmm(answer ~ method + (1 | item) + (1 | prompt:method) + (1 | prompt) + (1 | rater) + (1 | rater:method),
                data = d, control = clmm.control(gradTol = 1e-6))
say("several images", "log_likelihood", as.numeric(logLik(several)))
for (name in names(coef(several))) say("several images", name, coef(several)[[name]])
for (name in c("method1", "method2")) say("several images", paste0("se:", name), sqrt(vcov(several)[name, name]))
say("several images", "covariance", vcov(several)["method1", "method2"])
for (name in names(VarCorr(several))) say("several images", paste0("sd:", name), attr(VarCorr(several)[[name]], "stddev"))
